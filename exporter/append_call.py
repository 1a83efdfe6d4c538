"""Appends → one AppendRows call: requests out, replies in."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2

from exporter.shield import shielded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

_LIFE_SECONDS = 600.0  # BigQuery closes an idle call after as many
_CLOSE_SECONDS = 2.0
_NAMED_ROWS = 3
_TAKEN = (code_pb2.OK, code_pb2.ALREADY_EXISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A serialized record batch and its place in the stream."""

    offset: int
    rows: int
    data: bytes


class AppendCall:
    """Made, sent and read on threads of its own, which share two queues with the one that uses it. That one holds no
    lock and is never inside gRPC: a signal handler may raise in it anywhere.
    """

    def __init__(self, client: BigQueryWriteClient, *, stream: str, schema: bytes) -> None:
        self._client = client
        self._stream = stream
        self._schema = schema
        self._appends: SimpleQueue[Append | None] = SimpleQueue()
        self._replies: SimpleQueue[types.AppendRowsResponse | exceptions.GoogleAPICallError] = SimpleQueue()
        self._call: Any = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"append {stream}", daemon=True)
        self._sender: threading.Thread | None = None

    def open(self) -> None:
        """Not in the constructor: who is interrupted in here must have something to close."""
        self._thread.start()

    def close(self) -> None:
        """Leaves no thread, whatever the server does or does not."""
        self._closed = True
        self._appends.put(None)
        if self._call is not None:
            shielded(self._call.cancel)
        if self._thread.is_alive():
            self._thread.join(timeout=_CLOSE_SECONDS)
        if self._sender is not None:
            self._sender.join(timeout=_CLOSE_SECONDS)

    def send(self, append: Append) -> None:
        self._appends.put(append)

    @property
    def has_reply(self) -> bool:
        return not self._replies.empty()

    def take_reply(self, append: Append, *, seconds: float) -> None:
        """Wait for the reply to `append`, which must be the first without one. Raises GoogleAPICallError: not taken."""
        try:
            reply = self._replies.get(timeout=seconds)
        except Empty:
            raise exceptions.DeadlineExceeded(f"no reply for {seconds:.0f} s") from None
        if isinstance(reply, exceptions.GoogleAPICallError):
            raise reply
        if reply.error.code not in _TAKEN:
            refused = "".join(
                f"; row {append.offset + row.index + 1:,} of the unit: {row.message}"
                for row in reply.row_errors[:_NAMED_ROWS]
            )
            raise exceptions.from_grpc_status(reply.error.code, f"{reply.error.message}{refused}")

    def _run(self) -> None:
        """On a thread of this call's."""
        # The transport's, because the client's own waits for the first reply and cannot be cancelled meanwhile. Both
        # leave the routing header to us, and any location but US needs it.
        append_rows: Any = self._client.transport.append_rows  # declared as if for one request
        metadata = [("x-goog-request-params", f"write_stream={self._stream}")]
        self._call = append_rows(self._requests(), timeout=_LIFE_SECONDS, metadata=metadata)
        if self._closed:  # before there was a call to cancel
            self._call.cancel()
        try:
            for reply in self._call:
                self._replies.put(reply)
        except grpc.RpcError as error:
            # It is the call itself, in a frame of its own traceback: only the garbage collector would free it, if need
            # be at the interpreter's end, when it waits for ever for a lock that one of gRPC's threads has died with.
            self._replies.put(exceptions.from_grpc_status(self._call.code(), self._call.details()))
            error.__traceback__ = None
        else:
            self._replies.put(exceptions.Aborted("BigQuery has ended the call"))

    def _requests(self) -> Iterator[types.AppendRowsRequest]:
        """On a thread of gRPC's."""
        self._sender = threading.current_thread()
        schema: types.ArrowSchema | None = types.ArrowSchema(serialized_schema=self._schema)
        while (append := self._appends.get()) is not None:
            rows = types.ArrowRecordBatch(serialized_record_batch=append.data)
            arrow = types.AppendRowsRequest.ArrowData(writer_schema=schema, rows=rows)
            yield types.AppendRowsRequest(write_stream=self._stream, offset=append.offset, arrow_rows=arrow)
            schema = None  # the first request says it for all
