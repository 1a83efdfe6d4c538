"""What BigQuery refuses → its REST error, its append error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.rpc import code_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATUSES = {
    "accessDenied": 403,
    "backendError": 503,
    "duplicate": 409,
    "internalError": 500,
    "invalid": 400,
    "invalidQuery": 400,
    "jobBackendError": 400,
    "jobInternalError": 400,
    "notFound": 404,
    "quotaExceeded": 403,
    "rateLimitExceeded": 403,
}


class ApiError(Exception):
    """A REST call is refused, or a job has failed. `reason` is BigQuery's word."""

    def __init__(self, reason: str, message: str, *, status: int | None = None) -> None:
        self.reason = reason
        self.message = message
        self.status = status or _STATUSES[reason]
        super().__init__(f"{self.status} {reason}: {message}")

    @property
    def part(self) -> dict[str, Any]:
        """As a failed job has it."""
        return {"reason": self.reason, "message": self.message}

    @property
    def body(self) -> dict[str, Any]:
        return {
            "error": {"code": self.status, "message": self.message, "errors": [{**self.part, "domain": "global"}]},
        }


class AppendError(Exception):
    """An append is refused. `code` is gRPC's, `storage` the name of a StorageError, `rows` those of the request that
    are at fault, where single ones are.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = code_pb2.INVALID_ARGUMENT,
        storage: str | None = None,
        rows: Sequence[int] = (),
    ) -> None:
        self.message = message
        self.code = code
        self.storage = storage
        self.rows = rows
        super().__init__(message)
