"""Settings and the environment → credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import google.auth
from google.auth import credentials as auth_credentials
from google.auth import exceptions as auth_exceptions
from google.oauth2 import service_account

from exporter.errors import SettingsError, WarehouseError

if TYPE_CHECKING:
    from exporter.conf import Settings

REST_VARIABLE = "BIGQUERY_EMULATOR_HOST"
GRPC_VARIABLE = "BIGQUERY_STORAGE_EMULATOR_HOST"


def credentials_of(settings: Settings, *, emulated: bool) -> tuple[Any, str | None]:
    """Credentials, and the project that they name. Raises SettingsError and WarehouseError: there are none."""
    if emulated:
        return auth_credentials.AnonymousCredentials(), None
    if settings.service_account:
        try:
            return service_account.Credentials.from_service_account_info(dict(settings.service_account)), None
        except ValueError as error:
            raise SettingsError(
                location="SMOLQWERY_GOOGLE_PRIVATE_KEY",
                problem=f"with the other SMOLQWERY_GOOGLE_* settings it makes no service account: {error}.",
                remedy="Copy all of them from the service account's JSON key, newlines included.",
            ) from error
    try:
        return google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    except auth_exceptions.GoogleAuthError as error:
        raise no_credentials(error) from error


def no_credentials(error: Exception) -> WarehouseError:
    return WarehouseError(
        location="Google credentials",
        problem=f"{str(error).rstrip('.')}.",
        remedy="Run `gcloud auth application-default login`, give the job a service account, "
        f"or set {REST_VARIABLE} and {GRPC_VARIABLE} for an emulator.",
    )
