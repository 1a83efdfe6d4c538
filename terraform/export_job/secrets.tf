locals {
  secrets = {
    for variable, secret in var.secrets : variable => {
      project   = startswith(secret.secret, "projects/") ? split("/", secret.secret)[1] : var.project
      secret_id = basename(secret.secret)
    }
  }

  # By full name, because several variables may come from one secret, and a grant is made once.
  granted_secrets = {
    for secret in distinct(values(local.secrets)) : "projects/${secret.project}/secrets/${secret.secret_id}" => secret
  }
}
