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
