"""An error of the Storage Write API → whether it may pass, how often to ask again, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.api_core import exceptions, retry

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL_SECONDS = 30.0
"""One try of a call."""

TRANSIENT = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.ResourceExhausted,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.Unknown,
)
"""UNAVAILABLE, DEADLINE_EXCEEDED and so on: of the service or the network, not of what it was asked."""

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 8.0

# The library's own retries go on for ten minutes, leave out half of the codes and begin with ten seconds.
RETRY = retry.Retry(
    # A table just made, or its stream, is not known everywhere at once: NOT_FOUND may pass, too.
    predicate=retry.if_exception_type(*TRANSIENT, exceptions.NotFound),
    initial=_FIRST_PAUSE_SECONDS,
    maximum=_LONGEST_PAUSE_SECONDS,
    multiplier=2,
    timeout=60,
)


def pauses(longest: float = _LONGEST_PAUSE_SECONDS) -> Iterator[float]:
    """Seconds between two tries: ever longer, and random, so that runs that failed together do not return together."""
    yield from retry.exponential_sleep_generator(_FIRST_PAUSE_SECONDS, longest, 2)


def words(error: Exception) -> str:
    """`CODE: message`, of the last try where there were several."""
    last = (error.cause if isinstance(error, exceptions.RetryError) else None) or error
    code = getattr(last, "grpc_status_code", None)
    message = str(getattr(last, "message", last)).rstrip(".")
    return message if code is None else f"{getattr(code, 'name', code)}: {message}"
