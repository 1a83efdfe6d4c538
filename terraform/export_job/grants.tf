# All that the two service accounts may do. Each grant is on the one thing that it is needed for; running jobs and
# connecting to Cloud SQL can be granted on a project only.

resource "google_bigquery_dataset_iam_member" "exporter_warehouse" {
  project    = local.dataset_project
  dataset_id = var.dataset_id
  role       = local.roles.rows
  member     = google_service_account.exporter.member
}

resource "google_bigquery_dataset_iam_member" "exporter_ledger" {
  project    = local.dataset_project
  dataset_id = var.exporter_dataset_id
  role       = local.roles.staging
  member     = google_service_account.exporter.member
}

resource "google_project_iam_member" "exporter_jobs" {
  project = local.dataset_project
  role    = local.roles.jobs
  member  = google_service_account.exporter.member
}

resource "google_secret_manager_secret_iam_member" "exporter" {
  for_each  = local.granted_secrets
  project   = each.value.project
  secret_id = each.value.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.exporter.member
}

locals {
  # project:region:instance; the project of an old domain-scoped organisation has a colon of its own.
  cloud_sql = [for name in var.cloud_sql_instances : regex("^(?P<project>.+):[^:]+:(?P<instance>[^:]+)$", name)]

  one_cloud_sql_instance = [
    for sql in local.cloud_sql : join(" && ", [
      "resource.type == \"sqladmin.googleapis.com/Instance\"",
      "resource.name == \"projects/${sql.project}/instances/${sql.instance}\"",
    ])
  ]
}

# By number, because an instance that is made in the same apply has no name yet.
resource "google_project_iam_member" "exporter_cloud_sql" {
  count   = length(var.cloud_sql_instances)
  project = local.cloud_sql[count.index].project
  role    = "roles/cloudsql.client"
  member  = google_service_account.exporter.member

  condition {
    title       = "${var.name}: one instance"
    description = "Only ${var.cloud_sql_instances[count.index]}."
    expression  = local.one_cloud_sql_instance[count.index]
  }
}

resource "google_cloud_run_v2_job_iam_member" "invoker" {
  project  = google_cloud_run_v2_job.export.project
  location = google_cloud_run_v2_job.export.location
  name     = google_cloud_run_v2_job.export.name
  role     = "roles/run.invoker"
  member   = google_service_account.invoker.member
}
