"""One AppendRows connection: requests → replies, in their order, with the faults that a test has scripted for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2

from faults.calls import SAID, aborted, after, before, names, recorded
from faults.errors import AppendError
from faults.messages import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.script import Fault, Script
    from faults.streams import Stream, Streams

_MAX_REQUEST_BYTES = 10_000_000  # https://cloud.google.com/bigquery/quotas#write-api-limits


class Connection:
    """What BigQuery remembers between the requests of one: the stream and the Arrow schema."""

    def __init__(
        self, streams: Streams, script: Script, broken: list[BaseException], context: grpc.ServicerContext
    ) -> None:
        self._streams = streams
        self._script = script
        self._broken = broken
        self._context = context
        self._stream: Stream | None = None
        self._schema: pa.Schema | None = None

    def replies(self, requests: Iterator[types.AppendRowsRequest]) -> Iterator[types.AppendRowsResponse]:
        held_back: list[types.AppendRowsResponse] = []  # replies that a break to come takes with it
        for request in requests:
            with recorded(self._context, self._broken):
                held_back.append(self._reply(request))
                is_lost = self._script.loses("append", self._table(request))
            if not is_lost:
                yield from held_back
                held_back.clear()
        yield from held_back

    def _reply(self, request: types.AppendRowsRequest) -> types.AppendRowsResponse:
        fault = self._script.call("append", table=self._table(request))
        if fault is None:
            return self._taken(request)
        before(fault, self._context)
        if fault.what == "row errors":
            return refusal(AppendError(SAID, rows=[fault.rows]), request.write_stream)
        if fault.what in grpc.StatusCode.__members__ and fault.what != "ALREADY_EXISTS":
            return _scripted(fault, request)
        reply = self._taken(request)
        after(fault, self._context)
        return _scripted(fault, request) if fault.what == "ALREADY_EXISTS" else reply

    def _taken(self, request: types.AppendRowsRequest) -> types.AppendRowsResponse:
        stream = self._bound(request)
        try:
            offset = self._streams.append(stream, self._batch(request), request.offset)
        except AppendError as error:
            return refusal(error, stream.name)
        return types.AppendRowsResponse(append_result={"offset": offset}, write_stream=stream.name)

    def _bound(self, request: types.AppendRowsRequest) -> Stream:
        """Raises what ends the call: a stream that is gone is said as a status."""
        name = request.write_stream or (self._stream.name if self._stream else "")
        self._stream = self._streams.get(name)
        if self._stream is None:
            aborted(self._context, grpc.StatusCode.NOT_FOUND, f"Requested entity was not found. Entity: {name}")
        return self._stream

    def _batch(self, request: types.AppendRowsRequest) -> pa.RecordBatch:
        """Raises AppendError."""
        if sent := request.arrow_rows.writer_schema.serialized_schema:
            self._schema = pa.ipc.read_schema(pa.py_buffer(sent))
        if self._schema is None:
            raise AppendError("The first request of a connection has no Arrow schema")
        if types.AppendRowsRequest.pb(request).ByteSize() > _MAX_REQUEST_BYTES:
            raise AppendError("The request is larger than 10 MB")
        return pa.ipc.read_record_batch(pa.py_buffer(request.arrow_rows.rows.serialized_record_batch), self._schema)

    def _table(self, request: types.AppendRowsRequest) -> str:
        return names(request.write_stream or (self._stream.name if self._stream else ""), self._context)[1]


def _scripted(fault: Fault, request: types.AppendRowsRequest) -> types.AppendRowsResponse:
    storage = {"ALREADY_EXISTS": "OFFSET_ALREADY_EXISTS", "OUT_OF_RANGE": "OFFSET_OUT_OF_RANGE"}.get(fault.what)
    error = AppendError(SAID, code=code_pb2.Code.Value(fault.what), storage=storage)
    return refusal(error, request.write_stream)
