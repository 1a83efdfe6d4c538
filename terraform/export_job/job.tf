locals {
  cloud_sql_volumes = length(var.cloud_sql_instances) > 0 ? ["cloudsql"] : []
}

resource "google_cloud_run_v2_job" "export" {
  project             = var.project
  location            = var.region
  name                = var.name
  deletion_protection = var.deletion_protection

  template {
    # All at once. Said, because without it the provider would leave it at what it was when there was one task.
    task_count  = var.task_count
    parallelism = var.task_count

    template {
      service_account = google_service_account.exporter.email
      max_retries     = var.max_retries
      timeout         = "${var.timeout_seconds}s"

      containers {
        image   = var.image
        command = var.command
        args    = var.args

        resources {
          limits = {
            cpu    = var.cpu
            memory = var.memory
          }
        }

        dynamic "env" {
          for_each = var.environment

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = var.secrets

          content {
            name = env.key

            value_source {
              secret_key_ref {
                secret  = env.value.secret
                version = env.value.version
              }
            }
          }
        }

        dynamic "volume_mounts" {
          for_each = local.cloud_sql_volumes

          content {
            name       = volume_mounts.value
            mount_path = "/cloudsql"
          }
        }
      }

      dynamic "vpc_access" {
        for_each = var.vpc[*]

        content {
          egress = vpc_access.value.egress

          network_interfaces {
            network    = vpc_access.value.network
            subnetwork = vpc_access.value.subnetwork
            tags       = vpc_access.value.tags
          }
        }
      }

      # Cloud Run answers with this volume as the last one: any other below it would be a change at each plan.
      dynamic "volumes" {
        for_each = local.cloud_sql_volumes

        content {
          name = volumes.value

          cloud_sql_instance {
            instances = var.cloud_sql_instances
          }
        }
      }
    }
  }

  # The first run finds all its grants, and Cloud Run refuses a job whose secrets it cannot read. Should an apply without
  # an image want to delete the job, then deletion_protection stops it while the grants are still there.
  depends_on = [
    google_bigquery_dataset_iam_member.exporter_ledger,
    google_bigquery_dataset_iam_member.exporter_warehouse,
    google_project_iam_member.exporter_cloud_sql,
    google_project_iam_member.exporter_jobs,
    google_secret_manager_secret_iam_member.exporter,
  ]
}
