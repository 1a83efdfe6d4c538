output "dataset_id" {
  description = "Dataset of the warehouse."
  value       = module.warehouse.dataset_id
}

output "exporter_dataset_id" {
  description = "Dataset of the exporter's ledger."
  value       = module.warehouse.exporter_dataset_id
}

output "exporter_service_account" {
  description = "E-mail address of the service account that the job runs as, or null without a job."
  value       = one(module.export_job[*].exporter_service_account)
}

output "job_id" {
  description = "Full id of the Cloud Run job, or null without one."
  value       = one(module.export_job[*].job_id)
}

output "table_ids" {
  description = "Full ids of the tables, by name."
  value       = module.warehouse.table_ids
}

output "view_ids" {
  description = "Full ids of the delta views, by name."
  value       = module.warehouse.view_ids
}
