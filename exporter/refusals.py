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
            remedy="Give the exporter's service account the grants that terraform/ renders, or use other credentials.",
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


def _reason(error: Exception) -> str:
    """The innermost cause: the outer ones say only that a time limit passed, or how often a call was tried."""
    first = error.args[0] if error.args else None
    for inner in (getattr(error, "cause", None), getattr(error, "reason", None), error.__cause__, first):
        if isinstance(inner, Exception):
            return _reason(inner)
    # Google's client says nothing more when a job has not ended in time.
    return str(error) or "the job has not ended in time"
