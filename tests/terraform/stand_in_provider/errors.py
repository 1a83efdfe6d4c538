"""What can go wrong in the stand-in, each as one Terraform diagnostic.

StandInError
├── EndpointMissingError, EndpointNotLoopbackError, EndpointMalformedError, CredentialsConflictError
├── ProjectMissingError
├── ApiError, EmulatorUnreachableError
├── DeletionProtectedError, DeletionPreventedError
├── LegacyRoleError, MemberUnknownError
└── ImportIdError
"""

from __future__ import annotations

from http import HTTPStatus


class StandInError(Exception):
    """Summary on the first line of Terraform's message, detail below it."""

    def __init__(self, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail


class EndpointMissingError(StandInError):
    def __init__(self) -> None:
        super().__init__(
            "No BigQuery endpoint is set",
            "This is the stand-in for hashicorp/google: it only talks to an emulator on this machine. "
            "Set GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT=http://127.0.0.1:PORT/bigquery/v2/ "
            "or the provider's big_query_custom_endpoint.",
        )


class EndpointNotLoopbackError(StandInError):
    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"{endpoint} is not on this machine",
            "This is the stand-in for hashicorp/google: it only talks to http://127.0.0.1, localhost or [::1]. "
            "For the real BigQuery, install the real provider: run `terraform init` without TF_CLI_CONFIG_FILE.",
        )


class EndpointMalformedError(StandInError):
    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"{endpoint} is not a BigQuery endpoint",
            "The real provider wants a path that ends with a slash, for example http://127.0.0.1:9050/bigquery/v2/.",
        )


class CredentialsConflictError(StandInError):
    def __init__(self) -> None:
        super().__init__(
            "access_token and credentials are both set",
            "The real provider refuses the pair. Keep one of them.",
        )


class ProjectMissingError(StandInError):
    def __init__(self, resource_type: str) -> None:
        super().__init__(
            f"project: required field is not set for {resource_type}",
            "Set it on the resource, on the provider, or as GOOGLE_PROJECT.",
        )


class ApiError(StandInError):
    """BigQuery's own words, after those with which the real provider begins."""

    def __init__(self, *, context: str, status: int, message: str, reason: str = "") -> None:
        reason = f", {reason}" if reason else ""
        super().__init__(f"{context}googleapi: Error {status}: {message}{reason}")
        self.status = status

    @property
    def is_not_found(self) -> bool:
        return self.status == HTTPStatus.NOT_FOUND


class EmulatorUnreachableError(StandInError):
    def __init__(self, *, context: str, endpoint: str, cause: Exception) -> None:
        super().__init__(f"{context}{endpoint} does not answer: {cause}", "Is the emulator running?")


class DeletionProtectedError(StandInError):
    def __init__(self, table: str) -> None:
        super().__init__(
            f"cannot destroy table {table} without setting deletion_protection=false and running `terraform apply`"
        )


class DeletionPreventedError(StandInError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f'cannot destroy {name} without setting deletion_policy="DELETE" and running `terraform apply`'
        )


class LegacyRoleError(StandInError):
    def __init__(self, role: str, full_role: str) -> None:
        super().__init__(
            f"BigQuery Dataset legacy role {role} is not allowed when using google_bigquery_dataset_iam resources. "
            f"Please use the full form: {full_role}"
        )


class MemberUnknownError(StandInError):
    def __init__(self, member: str) -> None:
        super().__init__(
            f"Failed to parse BigQuery Dataset IAM member type: {member}",
            "Use group:, user:, serviceAccount:, domain: or iamMember: before the e-mail or name.",
        )


class ImportIdError(StandInError):
    def __init__(self, import_id: str, expected: str) -> None:
        super().__init__(f'Import id "{import_id}" doesn\'t match the accepted formats', f"Use {expected}.")
