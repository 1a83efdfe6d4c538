"""What Google's libraries raise → errors of ours, with what to do."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from requests import exceptions as requests_exceptions

from exporter.credentials import REST_VARIABLE, no_credentials
from exporter.errors import WarehouseError, in_a_line

if TYPE_CHECKING:
    from collections.abc import Iterator


_GRANT = "Give the exporter's service account the grants of terraform/export_job, or use other credentials."
_WAIT = "Wait, or ask Google for a larger quota: nothing is lost, the next run goes on here."
_REMEDIES: dict[str | None, str] = {
    "accessNotConfigured": "Enable the API for this project: gcloud services enable bigquery.googleapis.com",
    "billingNotEnabled": "Enable billing for this project, or name another one.",
    "quotaExceeded": _WAIT,
    "rateLimitExceeded": _WAIT,
}


@contextmanager
def translated_errors(location: str) -> Iterator[None]:
    """What Google's libraries raise → WarehouseError with what to do."""
    try:
        yield
    except auth_exceptions.GoogleAuthError as error:
        raise no_credentials(error) from error
    except exceptions.Forbidden as error:
        raise WarehouseError(
            location=location,
            problem=f"BigQuery refuses access: {in_a_line(error.message)}.",
            remedy=_REMEDIES.get(_code(error), _GRANT),
        ) from error
    except (
        exceptions.GoogleAPICallError,
        exceptions.RetryError,
        requests_exceptions.RequestException,
        TimeoutError,
    ) as error:
        endpoint = os.environ.get(REST_VARIABLE)
        problem = f"{endpoint} does not answer" if endpoint else "BigQuery does not answer"
        if isinstance(error, exceptions.ClientError):
            raise WarehouseError(
                location=location,
                problem=f"BigQuery refuses the call: {in_a_line(error.message)}.",
                remedy="The message is BigQuery's own. Run this again with --traceback to see which call it was.",
            ) from error
        raise WarehouseError(
            location=location,
            problem=f"{problem}: {in_a_line(_reason(error))}.",
            remedy="Check the network and the endpoint, then run this again.",
        ) from error


def _code(error: exceptions.Forbidden) -> str | None:
    """BigQuery's word for it, https://cloud.google.com/bigquery/docs/error-messages#errortable"""
    codes = (one.get("reason") for one in error.errors if isinstance(one, dict))
    return next(codes, None)


def _reason(error: Exception) -> str:
    """The innermost cause: the outer ones say only that a time limit passed, or how often a call was tried."""
    first = error.args[0] if error.args else None
    for inner in (getattr(error, "cause", None), getattr(error, "reason", None), error.__cause__, first):
        if isinstance(inner, Exception):
            return _reason(inner)
    # Google's client says nothing more when a job has not ended in time.
    return str(error) or "the job has not ended in time"
