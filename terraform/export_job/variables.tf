variable "args" {
  description = "Arguments of the command, such as smolqwery_extract and names of tables."
  type        = list(string)
  nullable    = false
  default     = ["smolqwery_extract"]
}

variable "cloud_sql_instances" {
  description = "Connection names of the Cloud SQL instances whose sockets are mounted under /cloudsql."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for name in var.cloud_sql_instances : can(regex(local.patterns.cloud_sql_instance, name))])
    error_message = "Each of cloud_sql_instances must be project:region:instance, such as example-project:europe-west1:shop."
  }

  validation {
    condition     = length(distinct(var.cloud_sql_instances)) == length(var.cloud_sql_instances)
    error_message = "cloud_sql_instances must name each instance once."
  }
}

variable "command" {
  description = "Command that the job runs, or an empty list for the image's entry point."
  type        = list(string)
  nullable    = false
  default     = ["python", "manage.py"]
}

variable "cpu" {
  description = "CPUs of the job: 1, 2, 4, 6 or 8."
  type        = string
  nullable    = false
  default     = "1"

  validation {
    condition     = contains(keys(local.memory_mib), var.cpu)
    error_message = "cpu must be ${join(", ", keys(local.memory_mib))}."
  }
}

variable "dataset_id" {
  description = "Dataset of the warehouse, in which the job reads and writes rows."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.patterns.dataset, var.dataset_id))
    error_message = "dataset_id must be ASCII letters, digits and _, at most 1,000, without the project."
  }
}

variable "dataset_project" {
  description = "Project of the datasets, or null for the job's own."
  type        = string
  default     = null

  validation {
    condition     = var.dataset_project == null || can(regex(local.patterns.project, var.dataset_project))
    error_message = "dataset_project must be a project id such as example-project, 6 to 30 lower-case letters, digits and -, or null."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the job."
  type        = bool
  nullable    = false
  default     = true
}

variable "environment" {
  description = "Environment variables of the job that are no secrets, by name."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex(local.patterns.environment, name))])
    error_message = "Each name in environment must be ASCII letters, digits and _, and begin with no digit."
  }

  validation {
    condition     = alltrue([for name in keys(var.environment) : !can(regex(local.patterns.reserved, name))])
    error_message = "environment must not set PORT, CLOUD_RUN_* or X_GOOGLE_*: Cloud Run sets them itself."
  }
}

variable "exporter_dataset_id" {
  description = "The exporter's own dataset, with the ledger, in which the job creates staging tables."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.patterns.dataset, var.exporter_dataset_id))
    error_message = "exporter_dataset_id must be ASCII letters, digits and _, at most 1,000, without the project."
  }

  validation {
    condition     = var.exporter_dataset_id != var.dataset_id
    error_message = "exporter_dataset_id must not be dataset_id: the job may create tables in the one and not in the other."
  }
}

variable "image" {
  description = "Container image by digest, so that what was reviewed is what runs."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.patterns.image, var.image))
    error_message = "image must end with a digest instead of a tag, such as europe-west1-docker.pkg.dev/example-project/shop/app@sha256: and 64 hexadecimal digits."
  }
}

variable "max_retries" {
  description = "How often a task that failed is tried again at once, before it and its run count as failed."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = contains(range(11), var.max_retries)
    error_message = "max_retries must be a whole number from 0 to 10."
  }
}

variable "memory" {
  description = "Memory of the job, such as 1Gi or 512Mi."
  type        = string
  nullable    = false
  default     = "1Gi"

  validation {
    condition     = can(regex(local.patterns.memory, var.memory))
    error_message = "memory must be a whole number followed by Mi or Gi, such as 512Mi or 2Gi."
  }

  validation {
    condition = try(
      tonumber(substr(var.memory, 0, length(var.memory) - 2)) * (endswith(var.memory, "Gi") ? 1024 : 1) >= local.memory_mib[var.cpu].least,
      true,
    )
    error_message = "memory must be at least ${try(local.memory_mib[var.cpu].least, 0)}Mi where cpu is ${var.cpu}."
  }

  validation {
    condition = try(
      tonumber(substr(var.memory, 0, length(var.memory) - 2)) * (endswith(var.memory, "Gi") ? 1024 : 1) <= local.memory_mib[var.cpu].most,
      true,
    )
    error_message = "memory must be at most ${try(local.memory_mib[var.cpu].most, 0)}Mi where cpu is ${var.cpu}. Set cpu higher for more."
  }
}

variable "name" {
  description = "Name of the job and its schedule, and beginning of the names of its service accounts and custom roles."
  type        = string
  nullable    = false
  default     = "smolqwery"

  validation {
    condition     = can(regex(local.patterns.name, var.name))
    error_message = "name must be 2 to 21 lower-case letters, digits and -, begin with a letter, and not end with -."
  }
}

variable "notification_channels" {
  description = "Full names of the Cloud Monitoring channels that are told of failures."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for name in var.notification_channels : can(regex(local.patterns.notification_channel, name))])
    error_message = "Each of notification_channels must be projects/PROJECT/notificationChannels/ID."
  }
}

variable "paused" {
  description = "Whether the schedule starts nothing. The alert that no run succeeded is off as long."
  type        = bool
  nullable    = false
  default     = false
}

variable "project" {
  description = "Google Cloud project of the job."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.patterns.project, var.project))
    error_message = "project must be a project id such as example-project: 6 to 30 lower-case letters, digits and -."
  }
}

variable "region" {
  description = "Google Cloud region of the job and its schedule."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west1. Multi-regions such as EU are for datasets only."
  }
}

variable "schedule" {
  description = "When the job runs, in cron's five fields. A run that finds nothing to export ends in seconds, so every hour is fine."
  type        = string
  nullable    = false
  default     = "15 * * * *"

  validation {
    condition     = length(regexall("\\S+", var.schedule)) == 5
    error_message = "schedule must have five fields, minute, hour, day of month, month and day of week, such as \"15 4 * * *\"."
  }

  validation {
    condition = length(regexall("\\S+", var.schedule)) != 5 || alltrue([
      for position, field in regexall("\\S+", var.schedule) : can(regex(local.cron_patterns[position], field))
    ])
    error_message = "schedule must be made of *, numbers, ranges such as 1-5, steps such as */10 and lists of those with commas: minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, day of week 0-7 or SUN-SAT."
  }

  validation {
    condition = alltrue([
      for bounds in regexall("([0-9]+)-([0-9]+)", var.schedule) : tonumber(bounds[0]) <= tonumber(bounds[1])
    ])
    error_message = "schedule must have ranges that go up, such as 1-5: one over midnight is two, such as 22-23,0-2."
  }
}

variable "secrets" {
  description = "Environment variables of the job that are secrets, by name: a secret of Secret Manager and the number of its version."
  type = map(object({
    secret  = string
    version = string
  }))
  nullable = false
  default  = {}

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex(local.patterns.environment, name))])
    error_message = "Each name in secrets must be ASCII letters, digits and _, and begin with no digit."
  }

  validation {
    condition     = alltrue([for name in keys(var.secrets) : !can(regex(local.patterns.reserved, name))])
    error_message = "secrets must not set PORT, CLOUD_RUN_* or X_GOOGLE_*: Cloud Run sets them itself."
  }

  validation {
    condition     = length(setintersection(keys(var.secrets), keys(var.environment))) == 0
    error_message = "secrets and environment must not set the same variable: ${join(", ", setintersection(keys(var.secrets), keys(var.environment)))}."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : can(regex(local.patterns.secret, secret.secret))])
    error_message = "Each secret in secrets must be the name of one, such as database-password, or projects/PROJECT/secrets/NAME."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : can(regex("^[1-9][0-9]*$", secret.version))])
    error_message = "Each version in secrets must be a number such as 1, not latest: a new version is deployed and reviewed like any other change."
  }
}

variable "success_within_hours" {
  description = "An alert fires when no run has succeeded for this many hours: the time between two runs, and some more."
  type        = number
  nullable    = false
  default     = 26

  validation {
    condition     = var.success_within_hours >= 2 && var.success_within_hours <= 840 && floor(var.success_within_hours) == var.success_within_hours
    error_message = "success_within_hours must be a whole number from 2 to 840, which is 35 days: Cloud Monitoring keeps this metric for six weeks."
  }
}

variable "task_count" {
  description = "How many tasks of a run export at once, each its share of the tables. Commands other than smolqwery_extract do the same in each."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = var.task_count >= 1 && var.task_count <= 10000 && floor(var.task_count) == var.task_count
    error_message = "task_count must be a whole number from 1 to 10000. More tasks than tables have nothing to do."
  }
}

variable "time_zone" {
  description = "Time zone of the schedule, best that of Django's TIME_ZONE, in which days end."
  type        = string
  nullable    = false
  default     = "UTC"

  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z]+(/[A-Za-z0-9_+-]+)+)$", var.time_zone))
    error_message = "time_zone must be UTC or a name of the tz database with its area, such as Europe/Paris or Etc/GMT-3."
  }
}

variable "timeout_seconds" {
  description = "How long each task of a run may take. One that is stopped then loses nothing: the next run goes on."
  type        = number
  nullable    = false
  default     = 3600

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 604800 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 604800, which is 7 days."
  }
}

variable "vpc" {
  description = "Network and subnetwork that the job connects to directly, for a database with a private address, or null for none. Egress ALL_TRAFFIC sends everything through it."
  type = object({
    network    = string
    subnetwork = string
    egress     = optional(string, "PRIVATE_RANGES_ONLY")
    tags       = optional(list(string), [])
  })
  default = null

  validation {
    condition     = contains(["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"], try(var.vpc.egress, "PRIVATE_RANGES_ONLY"))
    error_message = "egress of vpc must be ALL_TRAFFIC or PRIVATE_RANGES_ONLY."
  }

  validation {
    condition     = var.vpc == null || can(regex(local.patterns.network, var.vpc.network))
    error_message = "network of vpc must be a name such as default, or projects/PROJECT/global/networks/NAME."
  }

  validation {
    condition     = var.vpc == null || can(regex(local.patterns.subnetwork, var.vpc.subnetwork))
    error_message = "subnetwork of vpc must be a name such as default, or projects/PROJECT/regions/REGION/subnetworks/NAME."
  }
}
