output "exporter_service_account" {
  description = "E-mail address of the service account that the job runs as, for grants of your own, such as in a database."
  value       = google_service_account.exporter.email
}

output "invoker_service_account" {
  description = "E-mail address of the service account that starts the job."
  value       = google_service_account.invoker.email
}

output "job_id" {
  description = "Full id of the Cloud Run job."
  value       = google_cloud_run_v2_job.export.id
}

output "schedule_id" {
  description = "Full id of the Cloud Scheduler job."
  value       = google_cloud_scheduler_job.export.id
}
