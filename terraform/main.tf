provider "google" {
  project = var.project
  region  = var.region
}

module "warehouse" {
  source = "./warehouse"

  acl_groups          = var.acl_groups
  create_groups       = var.create_groups
  customer_id         = var.customer_id
  dataset_id          = var.dataset_id
  deletion_protection = var.deletion_protection
  location            = var.location
  reader_groups       = var.reader_groups
}

# Once there is an image. Tables come first: the job refuses to run without them.
module "export_job" {
  source = "./export_job"
  count  = var.image == null ? 0 : 1

  args                  = var.args
  cloud_sql_instances   = var.cloud_sql_instances
  command               = var.command
  cpu                   = var.cpu
  dataset_id            = module.warehouse.dataset_id
  deletion_protection   = var.deletion_protection
  environment           = var.environment
  exporter_dataset_id   = module.warehouse.exporter_dataset_id
  image                 = var.image
  max_retries           = var.max_retries
  memory                = var.memory
  name                  = var.name
  notification_channels = var.notification_channels
  paused                = var.paused
  project               = var.project
  region                = var.region
  schedule              = var.schedule
  secrets               = var.secrets
  success_within_hours  = var.success_within_hours
  task_count            = var.task_count
  time_zone             = var.time_zone
  timeout_seconds       = var.timeout_seconds
  vpc                   = var.vpc
}
