"""Finalized write streams → visible rows, all at once, or why not.

What BigQuery may answer, and what follows:

    a commit time, or nothing but "already committed"    success: a stream commits once, so asking again is harmless
    nothing, or an error of the service                  ask again; the reply may have been lost after the commit
    no access                                            an error
    any other refusal: wrong state, not found, …         ask again, for less long: another run may just be committing;
                                                         then the rows of the table must tell (doubt.py)
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types

from exporter.errors import StreamsGoneError, WriteError
from exporter.patience import CALL_SECONDS, TRANSIENT, pauses, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

NO_ANSWER_SECONDS = 60.0
"""The longest that `commit` goes on without an answer."""

REFUSED_SECONDS = 10.0
"""The longest that it goes on with a refusal that may pass."""

_LOOK_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 2.0
_Code = types.StorageError.StorageErrorCode


def commit(client: BigQueryWriteClient, *, table_path: str, streams: Sequence[str], location: str) -> None:
    """Repeatable, by anybody. Raises StreamsGoneError: refused and refused again. WriteError: all else but success."""
    started = time.monotonic()
    first_refused: float | None = None
    for pause in pauses(_LONGEST_PAUSE_SECONDS):
        try:
            left = started + NO_ANSWER_SECONDS - time.monotonic()
            _commit_once(client, table_path, streams, seconds=min(CALL_SECONDS, max(1.0, left)))
        except TRANSIENT as error:
            if time.monotonic() + pause > started + NO_ANSWER_SECONDS:
                raise _uncommitted(WriteError, location, error) from error
        except (exceptions.Forbidden, exceptions.Unauthorized) as error:
            raise _uncommitted(WriteError, location, error) from error
        except exceptions.GoogleAPICallError as error:
            if _have_commit_times(client, streams):
                return
            first_refused = first_refused or time.monotonic()
            if time.monotonic() + pause > first_refused + REFUSED_SECONDS:
                raise _uncommitted(StreamsGoneError, location, error) from error
        else:
            return
        time.sleep(pause)


def _commit_once(client: BigQueryWriteClient, table_path: str, streams: Sequence[str], *, seconds: float) -> None:
    """Raises GoogleAPICallError, also for a refusal in the body of a reply."""
    request = types.BatchCommitWriteStreamsRequest(parent=table_path, write_streams=streams)
    reply = client.batch_commit_write_streams(request, retry=None, timeout=seconds)
    if not reply.stream_errors:
        if not reply.commit_time:
            raise exceptions.GoogleAPICallError("BigQuery answered without a commit time")
        return
    errors = [error for error in reply.stream_errors if error.code != _Code.STREAM_ALREADY_COMMITTED]
    if not errors and len(reply.stream_errors) == len(streams):
        return
    raise exceptions.GoogleAPICallError(
        "; ".join(f"{_Code(error.code).name}: {error.error_message}" for error in reply.stream_errors)
    )


def _have_commit_times(client: BigQueryWriteClient, streams: Sequence[str]) -> bool:
    """Who commits at the same moment is refused, although the rows are there or will be."""
    try:
        return all(
            client.get_write_stream(name=stream, retry=None, timeout=_LOOK_SECONDS).commit_time for stream in streams
        )
    except exceptions.GoogleAPICallError:
        return False


def _uncommitted(error_class: type[WriteError], location: str, error: Exception) -> WriteError:
    return error_class(
        location=location,
        problem=f"BigQuery does not commit its write streams: {words(error)}.",
        remedy="Run the command again: no row is lost, or there twice.",
    )
