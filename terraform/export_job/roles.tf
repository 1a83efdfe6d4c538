# Custom roles, because the predefined ones that may write rows may also alter and drop tables.

locals {
  dataset_project = coalesce(var.dataset_project, var.project)

  # Role ids are unique in a project and know no dashes. No suffix ends with another, so two instances of this module
  # never meet as long as their names differ.
  role_prefix = replace(var.name, "-", "_")

  # A table's schema and creation time; rows to count, compare and merge; write streams, INSERT and MERGE.
  row_permissions = ["bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.updateData"]
}

resource "google_project_iam_custom_role" "rows" {
  project     = local.dataset_project
  role_id     = "${local.role_prefix}_rows"
  title       = "${var.name}: rows"
  description = "Reads and writes rows of tables, and neither creates, alters nor drops one."
  permissions = local.row_permissions
}

resource "google_project_iam_custom_role" "staging" {
  project     = local.dataset_project
  role_id     = "${local.role_prefix}_staging"
  title       = "${var.name}: rows and staging tables"
  description = "As ${var.name}: rows, and creates tables: --replace makes one for each replacement, which expires by itself."
  permissions = concat(local.row_permissions, ["bigquery.tables.create"])
}

# bigquery.jobs.get is for jobs that somebody else began: the next step of an export that a person, or another instance
# of this module, has left half done depends on what became of its job. One's own jobs need no permission.
resource "google_project_iam_custom_role" "jobs" {
  project     = local.dataset_project
  role_id     = "${local.role_prefix}_jobs"
  title       = "${var.name}: query jobs"
  description = "Runs query jobs and looks at what became of them. Gives no access to any table."
  permissions = ["bigquery.jobs.create", "bigquery.jobs.get"]
}

locals {
  # Written out from what a plan knows, where the roles' own names are only known after it: a plan for review says which.
  roles = {
    for name, role in {
      jobs    = google_project_iam_custom_role.jobs
      rows    = google_project_iam_custom_role.rows
      staging = google_project_iam_custom_role.staging
    } : name => "projects/${role.project}/roles/${role.role_id}"
  }
}
