locals {
  # What the job's own id says after an apply, already in the plan.
  job_path = join("/", [
    "projects", google_cloud_run_v2_job.export.project,
    "locations", google_cloud_run_v2_job.export.location,
    "jobs", google_cloud_run_v2_job.export.name,
  ])
}

resource "google_cloud_scheduler_job" "export" {
  project     = var.project
  region      = var.region
  name        = var.name
  description = "Starts the Cloud Run job ${var.name}."
  schedule    = var.schedule
  time_zone   = var.time_zone
  paused      = var.paused

  # Of the call that starts the job, which ends at once. How long the job itself may take is its own timeout.
  attempt_deadline = "60s"

  # A start whose answer is lost may happen twice: two runs at once export nothing twice.
  retry_config {
    retry_count          = 3
    min_backoff_duration = "30s"
    max_backoff_duration = "300s"
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${local.job_path}:run"

    # Not an OIDC token: Google's own APIs take OAuth only.
    oauth_token {
      service_account_email = google_service_account.invoker.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.invoker]
}
