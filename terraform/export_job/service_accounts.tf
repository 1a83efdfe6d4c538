resource "google_service_account" "exporter" {
  project      = var.project
  account_id   = "${var.name}-exporter"
  display_name = "Exporter of ${var.name}"
  description  = "What the Cloud Run job ${var.name} runs as. grants.tf says all that it may do."
}

resource "google_service_account" "invoker" {
  project      = var.project
  account_id   = "${var.name}-invoker"
  display_name = "Invoker of ${var.name}"
  description  = "As whom Cloud Scheduler starts the Cloud Run job ${var.name}. It may do nothing else."
}
