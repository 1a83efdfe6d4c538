"""Appends → one AppendRows call: requests out, replies in."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2

from exporter.append_request import append_request
from exporter.shield import shielded
from exporter.waits import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

_LIFE_SECONDS = 600.0  # BigQuery closes an idle call after as many
_METHOD = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows"
_NAMED_ROWS = 3
_TAKEN = (code_pb2.OK, code_pb2.ALREADY_EXISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A serialized record batch and its place in the stream."""

    offset: int
    before: int
    """How many rows of the unit were sent before it, by whatever stream."""
    rows: int
    data: bytes | memoryview


class AppendCall:
    """Made, sent and read on threads of its own, which share two queues with the one that uses it. That one holds no
    lock and is never inside gRPC: a signal handler may raise in it anywhere.
    """

    def __init__(
        self, client: BigQueryWriteClient, *, stream: str, schema: bytes, replied: Callable[[], object]
    ) -> None:
        """`replied` is called, on a thread of this call's, after each reply and at the end."""
        self._client = client
        self._stream = stream
        self._schema = schema
        self._replied = replied
        self._appends: SimpleQueue[Append | None] = SimpleQueue()
        self._replies: SimpleQueue[types.AppendRowsResponse | exceptions.GoogleAPICallError] = SimpleQueue()
        self._call: Any = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"append {stream}", daemon=True)
        self._sender: threading.Thread | None = None

    def open(self) -> None:
        """Not in the constructor: who is interrupted in here must have something to close."""
        self._thread.start()

    def cancel(self) -> None:
        """Ends the call, soon."""
        self._closed = True
        self._appends.put(None)
        shielded(self._cancel)

    def join(self, *, until: float) -> None:
        """Leave no thread, whatever the server does or does not. After `cancel`; `until` as time.monotonic() has it."""
        if self._thread.is_alive():
            self._thread.join(timeout=max(0.0, until - time.monotonic()))
        if self._sender is not None:
            self._sender.join(timeout=max(0.0, until - time.monotonic()))

    def send(self, append: Append) -> None:
        self._appends.put(append)

    @property
    def has_reply(self) -> bool:
        return not self._replies.empty()

    def take_reply(self, append: Append, *, seconds: float) -> None:
        """Wait for the reply to `append`, which must be the first without one. Raises GoogleAPICallError: not taken."""
        try:
            reply = taken(self._replies, seconds)
        except Empty:
            raise exceptions.DeadlineExceeded(f"no reply for {seconds:.0f} s") from None
        if isinstance(reply, exceptions.GoogleAPICallError):
            raise reply
        if reply.error.code not in _TAKEN:
            refused = "".join(
                f"; row {append.before + row.index + 1:,} of the unit: {row.message}"
                for row in reply.row_errors[:_NAMED_ROWS]
            )
            raise exceptions.from_grpc_status(reply.error.code, f"{reply.error.message}{refused}")

    def _is_closed(self) -> bool:
        return self._closed

    def _cancel(self) -> None:
        if (call := self._call) is not None:
            call.cancel()

    def _run(self) -> None:
        """On a thread of this call's."""
        if self._is_closed():  # whoever started it was interrupted before it ran, and the channel may be closed by now
            return
        # Not the client's own call, which serializes messages, and waits for the first reply without a way to be
        # cancelled. The routing header would be left to us there, too, and any location but US needs it.
        transport: Any = self._client.transport
        append_rows = transport.grpc_channel.stream_stream(
            _METHOD, request_serializer=None, response_deserializer=types.AppendRowsResponse.deserialize
        )
        metadata = [("x-goog-request-params", f"write_stream={self._stream}")]
        self._call = call = append_rows(self._requests(), timeout=_LIFE_SECONDS, metadata=metadata)
        if self._is_closed():  # before there was a call to cancel
            call.cancel()
        try:
            for reply in call:
                self._hand_over(reply)
        except grpc.RpcError as error:
            # It is the call itself, in a frame of its own traceback. What is left of a call is freed by the garbage
            # collector, if need be at the interpreter's end; it then waits for a lock that one of gRPC's threads may
            # have died with, and the process never ends. So nobody gets to hold it, and it is freed here.
            self._hand_over(exceptions.from_grpc_status(call.code(), call.details()))
            error.__traceback__ = None
        else:
            self._hand_over(exceptions.Aborted("BigQuery has ended the call"))
        finally:
            self._call = None

    def _hand_over(self, reply: types.AppendRowsResponse | exceptions.GoogleAPICallError) -> None:
        self._replies.put(reply)
        self._replied()

    def _requests(self) -> Iterator[bytes]:
        """On a thread of gRPC's."""
        self._sender = threading.current_thread()
        schema: bytes | None = self._schema
        while (append := self._appends.get()) is not None:
            yield append_request(stream=self._stream, offset=append.offset, schema=schema, rows=append.data)
            schema = None  # the first request says it for all
