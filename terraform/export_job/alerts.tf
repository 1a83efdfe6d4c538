locals {
  # With the project, because one may watch over the metrics of others that have a job of this name, such as staging.
  failed_executions = join(" AND ", [
    "metric.type = \"run.googleapis.com/job/completed_execution_count\"",
    "metric.labels.result = \"failed\"",
    "resource.type = \"cloud_run_job\"",
    "resource.labels.project_id = \"${var.project}\"",
    "resource.labels.job_name = \"${google_cloud_run_v2_job.export.name}\"",
    "resource.labels.location = \"${var.region}\"",
  ])

  # The same metric in PromQL's spelling.
  succeeded_labels = join(",", [
    "monitored_resource=\"cloud_run_job\"",
    "project_id=\"${var.project}\"",
    "job_name=\"${google_cloud_run_v2_job.export.name}\"",
    "location=\"${var.region}\"",
    "result=\"succeeded\"",
  ])
  succeeded_executions = "run_googleapis_com:job_completed_execution_count{${local.succeeded_labels}}"

  scheduler_errors = join(" AND ", [
    "resource.type = \"cloud_scheduler_job\"",
    "resource.labels.job_id = \"${google_cloud_scheduler_job.export.name}\"",
    "resource.labels.location = \"${var.region}\"",
    "severity >= ERROR",
  ])

  list_executions   = "gcloud run jobs executions list --project=${var.project} --region=${var.region} --job=${var.name}"
  describe_schedule = "gcloud scheduler jobs describe ${var.name} --project=${var.project} --location=${var.region}"
}

resource "google_monitoring_alert_policy" "failed" {
  project               = var.project
  display_name          = "${var.name}: an export failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notification_channels

  conditions {
    display_name = "An execution failed"

    condition_threshold {
      filter          = local.failed_executions
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  # No success ends an incident, time without a failure does. With half a day, each failure of a daily job is told.
  alert_strategy {
    auto_close = "43200s"
  }

  documentation {
    subject = "${var.name}: an export failed"
    content = <<-TEXT
      An execution of the Cloud Run job `${var.name}` failed:

          ${local.list_executions}

      Its log says which table, which day, why, and what to do. Nothing of a day that failed is visible, and the next
      run goes on from there.
    TEXT
  }
}

# PromQL, because a metric-absence condition looks back 23 h 30 min at most, less than a day, and says nothing of a job
# that has not succeeded once since the policy was made.
resource "google_monitoring_alert_policy" "none_succeeded" {
  project               = var.project
  display_name          = "${var.name}: no export for ${var.success_within_hours} hours"
  combiner              = "OR"
  severity              = "ERROR"
  enabled               = !var.paused
  notification_channels = var.notification_channels

  conditions {
    display_name = "No execution succeeded for ${var.success_within_hours} hours"

    condition_prometheus_query_language {
      # The last of the hours is the duration: a job that was just made has that long for its first run.
      query               = "absent_over_time(${local.succeeded_executions}[${var.success_within_hours - 1}h])"
      duration            = "3600s"
      evaluation_interval = "300s"

      # Before a project's first job there is no such metric.
      disable_metric_validation = true
    }
  }

  documentation {
    subject = "${var.name}: no export for ${var.success_within_hours} hours"
    content = <<-TEXT
      No execution of the Cloud Run job `${var.name}` succeeded for ${var.success_within_hours} hours. Did any begin?

          ${local.list_executions}

      If none did, look at what starts them:

          ${local.describe_schedule}
    TEXT
  }
}

# A start that is refused leaves no execution behind that could fail.
resource "google_monitoring_alert_policy" "not_started" {
  project               = var.project
  display_name          = "${var.name}: the schedule could not start an export"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notification_channels

  conditions {
    display_name = "Cloud Scheduler logged an error"

    condition_matched_log {
      filter = local.scheduler_errors
    }
  }

  alert_strategy {
    auto_close = "43200s"

    # Cloud Monitoring wants one for a log: its three retries are one notification.
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    subject = "${var.name}: the schedule could not start an export"
    content = <<-TEXT
      Cloud Scheduler could not start the Cloud Run job `${var.name}`. PERMISSION_DENIED means that
      `${google_service_account.invoker.email}` has lost its role on the job: apply Terraform. What else:

          ${local.describe_schedule}
    TEXT
  }
}
