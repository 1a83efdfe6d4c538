# Most are null here, which means what the modules say: of the warehouse, what the settings of the Django project were
# when codegen ran, and of the job, the defaults in export_job/variables.tf, which also says what is legal. A deployment
# that differs, such as staging, sets them.

variable "acl_groups" {
  description = "E-mail addresses of the groups that read and write the warehouse, or null for SMOLQWERY_ACL_GROUPS."
  type        = list(string)
  default     = null
}

variable "args" {
  description = "Arguments of the job's command, or null for smolqwery_extract."
  type        = list(string)
  default     = null
}

variable "cloud_sql_instances" {
  description = "Connection names of the Cloud SQL instances whose sockets the job finds under /cloudsql, or null for none."
  type        = list(string)
  default     = null
}

variable "command" {
  description = "Command of the job, or null for python manage.py."
  type        = list(string)
  default     = null
}

variable "cpu" {
  description = "CPUs of the job, or null for 1."
  type        = string
  default     = null
}

variable "create_groups" {
  description = "Whether Terraform makes the groups of acl_groups and reader_groups, in Cloud Identity."
  type        = bool
  nullable    = false
  default     = false
}

variable "customer_id" {
  description = "Customer id of Cloud Identity or Google Workspace, such as C01abcde2. Only create_groups needs it."
  type        = string
  default     = null
}

variable "dataset_id" {
  description = "Dataset of the warehouse, or null for SMOLQWERY_DATASET."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the datasets, the tables and the job."
  type        = bool
  nullable    = false
  default     = true
}

variable "environment" {
  description = "Environment variables of the job that are no secrets, by name, or null for none."
  type        = map(string)
  default     = null
}

variable "image" {
  description = "Container image of the job by digest, or null for the warehouse alone, which deletes a job that is there."
  type        = string
  default     = null
}

variable "location" {
  description = "BigQuery location of the datasets, or null for SMOLQWERY_DATASET_LOCATION."
  type        = string
  default     = null
}

variable "max_retries" {
  description = "How often a task that failed is tried again at once, or null for 1."
  type        = number
  default     = null
}

variable "memory" {
  description = "Memory of the job, or null for 1Gi."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the job, its schedule, service accounts and roles, or null for smolqwery."
  type        = string
  default     = null
}

variable "notification_channels" {
  description = "Full names of the Cloud Monitoring channels that are told of failures, or null for none."
  type        = list(string)
  default     = null
}

variable "paused" {
  description = "Whether the schedule starts nothing, or null for false."
  type        = bool
  default     = null
}

variable "project" {
  description = "Google Cloud project to deploy to."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project id such as example-project: 6 to 30 lower-case letters, digits and -."
  }
}

variable "reader_groups" {
  description = "E-mail addresses of the groups that read the warehouse, or null for SMOLQWERY_READER_GROUPS."
  type        = list(string)
  default     = null
}

variable "region" {
  description = "Google Cloud region of what is not BigQuery's, such as europe-west1."
  type        = string
  nullable    = false
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west1."
  }
}

variable "schedule" {
  description = "When the job runs, in cron's five fields, or null for a quarter past every hour."
  type        = string
  default     = null
}

variable "secrets" {
  description = "Environment variables of the job that are secrets, by name, each with the number of a version, or null for none."
  type = map(object({
    secret  = string
    version = string
  }))
  default = null
}

variable "success_within_hours" {
  description = "After how many hours without a run that succeeded an alert fires, or null for 26."
  type        = number
  default     = null
}

variable "task_count" {
  description = "How many tasks of a run export at once, each its share of the tables, or null for 1."
  type        = number
  default     = null
}

variable "time_zone" {
  description = "Time zone of the schedule, or null for UTC."
  type        = string
  default     = null
}

variable "timeout_seconds" {
  description = "How long each task of a run may take, or null for 3600."
  type        = number
  default     = null
}

variable "vpc" {
  description = "Network and subnetwork that the job connects to directly, or null for none."
  type = object({
    network    = string
    subnetwork = string
    egress     = optional(string)
    tags       = optional(list(string))
  })
  default = null
}
