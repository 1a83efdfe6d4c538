"""Serialized record batches → one PENDING write stream: append, finalize, commit.

Not the library's AppendRowsStream: it loses requests when the first call fails, hides the reason, and sends past a hole
after a break. Here a window of requests stays until BigQuery has acknowledged it, and is sent again, in order, over a
new connection; explicit offsets make that harmless.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from google.api_core import exceptions, retry
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.rpc import code_pb2

from exporter.errors import StreamsGoneError, WriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MAX_UNACKNOWLEDGED = 8
_CALL_SECONDS = 30.0
_CONNECTION_SECONDS = 120.0  # then it is renewed: the deadline is what ends a connection that answers nothing
_GIVE_UP_SECONDS = 180.0  # without an acknowledgement
_MAX_PAUSE_SECONDS = 8.0

_TRANSIENT = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.ResourceExhausted,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.Unknown,
)
_TRANSIENT_CODES = frozenset(
    {
        code_pb2.UNAVAILABLE,
        code_pb2.DEADLINE_EXCEEDED,
        code_pb2.RESOURCE_EXHAUSTED,
        code_pb2.INTERNAL,
        code_pb2.ABORTED,
        code_pb2.CANCELLED,
        code_pb2.UNKNOWN,
    }
)
_RETRY = retry.Retry(
    predicate=retry.if_exception_type(*_TRANSIENT), initial=0.25, maximum=_MAX_PAUSE_SECONDS, multiplier=2, timeout=60
)
_RETRY_OPENING = _RETRY.with_predicate(
    retry.if_exception_type(*_TRANSIENT, exceptions.NotFound)  # a table just made is not known everywhere at once
).with_timeout(30)
_STORAGE_ERRORS = types.StorageError.StorageErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    offset: int
    rows: int
    data: bytes


class WriteStream:
    """One PENDING stream of a table. Nothing in it is visible before `commit`.

    `append` blocks while eight requests are unacknowledged. One thread, owned here, sends and reads replies; all
    that it shares is guarded by `_changed`. Leaving the context without `finalize` abandons the stream: BigQuery
    collects it.
    """

    def __init__(self, client: BigQueryWriteClient, *, table_path: str, schema: bytes, location: str) -> None:
        self._client = client
        self._schema = schema
        self._location = location
        stream = types.WriteStream(type_=types.WriteStream.Type.PENDING)
        try:
            created = client.create_write_stream(
                parent=table_path, write_stream=stream, retry=_RETRY_OPENING, timeout=_CALL_SECONDS
            )
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise self._error("cannot open a write stream", error) from error
        self.name: str = created.name
        self.rows = 0
        self._changed = threading.Condition()
        self._window: deque[_Request] = deque()
        self._sent = 0  # how many of the window the present connection has taken
        self._connection = 0  # its number: a sender that finds another one ends
        self._replies: Any = None  # its gRPC call, once it has answered
        self._ended = False
        self._failure: WriteError | None = None
        self._progress = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"append {self.name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        with self._changed:
            self._failure = self._failure or self._error("the write stream is closed")
            self._connection += 1
            self._changed.notify_all()
            replies = self._replies
        if replies is not None:
            replies.cancel()  # or the thread would wait for the next one
        self._thread.join(timeout=2)

    def append(self, *, rows: int, data: bytes) -> None:
        """Send one serialized record batch. Raises WriteError: BigQuery refused an earlier one, or does not answer."""
        with self._changed:
            self._wait(lambda: len(self._window) < _MAX_UNACKNOWLEDGED)
            if not self._window:
                self._progress = time.monotonic()
            self._window.append(_Request(offset=self.rows, rows=rows, data=data))
            self.rows += rows
            self._changed.notify_all()

    def finalize(self) -> None:
        """Wait for all replies and seal the stream. Raises WriteError when BigQuery counts other rows."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            self._wait(lambda: not self._window)
        try:
            reply = self._client.finalize_write_stream(name=self.name, retry=_RETRY, timeout=_CALL_SECONDS)
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise self._error("cannot finalize the write stream", error) from error
        if reply.row_count != self.rows:
            raise self._error(f"BigQuery counts {reply.row_count:,} rows in the write stream, {self.rows:,} were sent")

    def _wait(self, condition: Callable[[], bool]) -> None:
        while self._failure is None and not condition():
            # Short waits: a signal that arrives meanwhile is handled between two of them.
            self._changed.wait(0.2)
            if time.monotonic() - self._progress > _GIVE_UP_SECONDS:
                self._failure = self._error(f"no acknowledgement for {_GIVE_UP_SECONDS:.0f} s")
                self._changed.notify_all()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        """On the stream's own thread: a connection after the other until all is acknowledged."""
        attempts = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._failure or self._window or self._ended)
                if self._failure is not None or not self._window:
                    return
                self._connection += 1
                self._sent = 0
                first, connection = self._window[0].offset, self._connection
            try:
                self._converse(connection)
            except Exception as error:  # noqa: BLE001 - a thread has nowhere else to send it than to the caller
                if not isinstance(error, _TRANSIENT):
                    self._fail(error)
                    return
            with self._changed:
                moved = not self._window or self._window[0].offset != first
                attempts = 0 if moved else attempts + 1
                if self._window:
                    pause = min(0.1 * 2**attempts, _MAX_PAUSE_SECONDS)
                    self._changed.wait_for(lambda: self._failure, timeout=pause)

    def _converse(self, connection: int) -> None:
        """One connection: send the window and what joins it, take replies until it breaks or all is said."""
        replies = self._client.append_rows(
            self._requests(connection),
            retry=None,
            timeout=_CONNECTION_SECONDS,
            # The generated method sends an empty routing header, and any location but US needs it.
            metadata=[("x-goog-request-params", f"write_stream={self.name}")],
        )
        try:
            with self._changed:
                if connection != self._connection:  # left meanwhile
                    return
                self._replies = replies
            for reply in replies:
                with self._changed:
                    if connection != self._connection:
                        return
                    self._acknowledge(reply)
        finally:
            with self._changed:
                self._replies = None
                self._connection += 1  # the sender ends
                self._changed.notify_all()
            cast("Any", replies).cancel()  # declared as an Iterable, and a gRPC call

    def _requests(self, connection: int) -> Iterator[types.AppendRowsRequest]:
        """On a thread of gRPC's."""
        described = False
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: (
                        connection != self._connection or self._failure or self._sent < len(self._window) or self._ended
                    )
                )
                if connection != self._connection or self._failure or self._sent >= len(self._window):
                    return
                request = self._window[self._sent]
                self._sent += 1
            arrow = types.AppendRowsRequest.ArrowData(rows=types.ArrowRecordBatch(serialized_record_batch=request.data))
            if not described:
                arrow.writer_schema = types.ArrowSchema(serialized_schema=self._schema)
                described = True
            yield types.AppendRowsRequest(write_stream=self.name, offset=request.offset, arrow_rows=arrow)

    def _acknowledge(self, reply: types.AppendRowsResponse) -> None:
        code = reply.error.code
        if code in _TRANSIENT_CODES or code == code_pb2.OUT_OF_RANGE:
            # OUT_OF_RANGE: one before it was not written. Both: again from the first that is unacknowledged.
            raise exceptions.Aborted(reply.error.message)
        if code not in (code_pb2.OK, code_pb2.ALREADY_EXISTS):
            rows = "".join(f"; row {row.index}: {row.message}" for row in reply.row_errors[:3])
            raise exceptions.GoogleAPICallError(f"{code_pb2.Code.Name(code)} {reply.error.message}{rows}")
        self._window.popleft()
        self._sent -= 1
        self._progress = time.monotonic()
        self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failure = self._failure or self._error("BigQuery refused the rows", error)
            self._failure.__cause__ = error
            self._changed.notify_all()

    def _error(self, problem: str, cause: Exception | None = None) -> WriteError:
        because = f": {cause}" if cause else ""
        return WriteError(location=self._location, problem=f"{problem}{because}.", remedy=NOTHING_VISIBLE)


NOTHING_VISIBLE = "Nothing of this unit is visible. Run the command again: it starts with the same day."


def commit(client: BigQueryWriteClient, *, table_path: str, streams: Sequence[str], location: str) -> None:
    """Make finalized streams visible, all at once. Repeatable: a stream commits once, and being committed is success.

    Raises WriteError, StreamsGoneError where BigQuery does not know the streams. Success is nothing but a commit
    time, or nothing but "already committed".
    """
    try:
        reply = client.batch_commit_write_streams(
            request={"parent": table_path, "write_streams": list(streams)}, retry=_RETRY, timeout=_CALL_SECONDS
        )
    except exceptions.NotFound as error:
        raise _uncommitted(location, str(error), StreamsGoneError) from error
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise _uncommitted(location, str(error)) from error
    if reply.stream_errors:
        others = [e for e in reply.stream_errors if e.code != _STORAGE_ERRORS.STREAM_ALREADY_COMMITTED]
        if others and all(e.code == _STORAGE_ERRORS.STREAM_NOT_FOUND for e in others):
            raise _uncommitted(location, others[0].error_message, StreamsGoneError)
        if others or len(reply.stream_errors) != len(streams):
            raise _uncommitted(location, "; ".join(error.error_message for error in others or reply.stream_errors))
    elif not reply.commit_time:
        raise _uncommitted(location, "BigQuery answered without a commit time")


def _uncommitted(location: str, reason: str, error: type[WriteError] = WriteError) -> WriteError:
    return error(
        location=location,
        problem=f"prepared, but the commit did not succeed: {reason}.",
        remedy="Run the command again: it commits the same streams, and no row twice.",
    )
