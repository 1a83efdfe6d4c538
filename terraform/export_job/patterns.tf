# What the validations in variables.tf look for.

locals {
  project_pattern = "([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
  label_pattern   = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"

  patterns = {
    cloud_sql_instance   = "^${local.project_pattern}:[a-z]+-[a-z]+[0-9]+:[a-z][a-z0-9-]*$"
    dataset              = "^[A-Za-z0-9_]{1,1000}$"
    environment          = "^[A-Za-z_][A-Za-z0-9_]*$"
    image                = "^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$"
    memory               = "^[1-9][0-9]*[MG]i$"
    name                 = "^[a-z][a-z0-9-]{0,19}[a-z0-9]$"
    network              = "^(projects/${local.project_pattern}/global/networks/)?${local.label_pattern}$"
    notification_channel = "^projects/[^/]+/notificationChannels/[^/]+$"
    project              = "^${local.project_pattern}$"
    reserved             = "^(PORT|CLOUD_RUN_.*|X_GOOGLE_.*)$"
    secret               = "^(projects/(${local.project_pattern}|[0-9]+)/secrets/)?[A-Za-z0-9_-]{1,255}$"
    subnetwork           = "^(projects/${local.project_pattern}/regions/[a-z0-9-]+/subnetworks/)?${local.label_pattern}$"
  }

  cron_values = [
    "[0-5]?[0-9]",
    "([01]?[0-9]|2[0-3])",
    "(0?[1-9]|[12][0-9]|3[01])",
    "(0?[1-9]|1[0-2]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))",
    "([0-7]|(?i:sun|mon|tue|wed|thu|fri|sat))",
  ]
  cron_items    = [for value in local.cron_values : "(\\*|${value}(-${value})?)(/[1-9][0-9]?)?"]
  cron_patterns = [for item in local.cron_items : "^${item}(,${item})*$"]

  # What Cloud Run gives to how many CPUs.
  memory_mib = {
    1 = { least = 512, most = 4096 }
    2 = { least = 512, most = 8192 }
    4 = { least = 2048, most = 16384 }
    6 = { least = 4096, most = 24576 }
    8 = { least = 4096, most = 32768 }
  }
}
