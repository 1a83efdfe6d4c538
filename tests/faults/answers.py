"""Answers of Google's clients → the codes and names that tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.cloud.bigquery_storage_v1 import types

if TYPE_CHECKING:
    from google.cloud import bigquery

    from emulator.clients import Clients


def run_job(clients: Clients, sql: str, job_id: str) -> bigquery.QueryJob:
    """When it is done. Raises what it failed with."""
    job = clients.bigquery.query(sql, job_id=job_id, job_retry=None)
    job.result()
    return job


def error_codes(reply: types.BatchCommitWriteStreamsResponse) -> list[str]:
    return [types.StorageError.StorageErrorCode(error.code).name for error in reply.stream_errors]


def detail(answer: types.AppendRowsResponse) -> str | None:
    """The StorageError that an append's error carries."""
    for packed in answer.error.details:
        error = types.StorageError.pb(types.StorageError())
        assert packed.Unpack(error)
        return str(types.StorageError.StorageErrorCode(error.code).name)
    return None
