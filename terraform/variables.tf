# Those of the warehouse are null here, which means its own defaults: what the settings of the Django project said when
# codegen ran. A deployment that differs from them, such as staging, sets them.

variable "acl_groups" {
  description = "E-mail addresses of the groups that read and write the warehouse, or null for SMOLQWERY_ACL_GROUPS."
  type        = list(string)
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
  description = "Whether Terraform refuses to delete the datasets and tables."
  type        = bool
  nullable    = false
  default     = true
}

variable "location" {
  description = "BigQuery location of the datasets, or null for SMOLQWERY_DATASET_LOCATION."
  type        = string
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
