"""Calls of the Storage Write API, over gRPC → streams, and the faults that a test has scripted for them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2, status_pb2

from faults.errors import ApiError, AppendError, Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.columns import Column
    from faults.script import Fault, Script
    from faults.streams import Stream, Streams

SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
STOP_SECONDS = 10.0
_THREADS = 64  # an open AppendRows call holds one
_MAX_REQUEST_BYTES = 10_000_000  # https://cloud.google.com/bigquery/quotas#write-api-limits
_TABLE = re.compile(r"projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)(?:/streams/.+)?")
_TYPES = {"BOOLEAN": "BOOL", "FLOAT": "DOUBLE", "INTEGER": "INT64", "RECORD": "STRUCT"}


class WriteService:
    """A gRPC server on a free port."""

    def __init__(self, streams: Streams, script: Script, broken: list[BaseException]) -> None:
        self._streams = streams
        self._script = script
        self._broken = broken
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="faults write")
        self._server = grpc.server(self._executor, options=[("grpc.max_receive_message_length", -1)])
        handlers = {
            "CreateWriteStream": _unary(self._create, types.CreateWriteStreamRequest, types.WriteStream),
            "GetWriteStream": _unary(self._get, types.GetWriteStreamRequest, types.WriteStream),
            "FinalizeWriteStream": _unary(
                self._finalize, types.FinalizeWriteStreamRequest, types.FinalizeWriteStreamResponse
            ),
            "BatchCommitWriteStreams": _unary(
                self._commit, types.BatchCommitWriteStreamsRequest, types.BatchCommitWriteStreamsResponse
            ),
            "AppendRows": grpc.stream_stream_rpc_method_handler(
                self._append,
                request_deserializer=types.AppendRowsRequest.deserialize,
                response_serializer=types.AppendRowsResponse.serialize,
            ),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        """After the script has released all that waits."""
        self._server.stop(None).wait(STOP_SECONDS)
        self._executor.shutdown(wait=True)

    def _create(self, request: types.CreateWriteStreamRequest, context: grpc.ServicerContext) -> types.WriteStream:
        _, dataset, table = _parts(request.parent, context)

        def create() -> types.WriteStream:
            if request.write_stream.type_ != types.WriteStream.Type.PENDING:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The fault server has PENDING streams only")
            try:
                stream = self._streams.create(request.parent, dataset, table)
            except ApiError as error:
                context.abort(grpc.StatusCode.NOT_FOUND, error.message)
            return _described(stream)

        return self._answered("open", table, context, create)

    def _get(self, request: types.GetWriteStreamRequest, context: grpc.ServicerContext) -> types.WriteStream:
        _, _, table = _parts(request.name, context)
        return self._answered("get stream", table, context, lambda: _described(self._stream(request.name, context)))

    def _finalize(
        self, request: types.FinalizeWriteStreamRequest, context: grpc.ServicerContext
    ) -> types.FinalizeWriteStreamResponse:
        _, _, table = _parts(request.name, context)

        def finalize() -> types.FinalizeWriteStreamResponse:
            rows = self._streams.finalize(self._stream(request.name, context))
            return types.FinalizeWriteStreamResponse(row_count=rows)

        def faulty(fault: Fault) -> types.FinalizeWriteStreamResponse:
            reply = finalize()
            reply.row_count += fault.rows
            return reply

        return self._answered("finalize", table, context, finalize, faulty)

    def _commit(
        self, request: types.BatchCommitWriteStreamsRequest, context: grpc.ServicerContext
    ) -> types.BatchCommitWriteStreamsResponse:
        _, _, table = _parts(request.parent, context)
        names = list(dict.fromkeys(request.write_streams))

        def commit() -> types.BatchCommitWriteStreamsResponse:
            if not all(name.startswith(f"{request.parent}/streams/") for name in names):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Not all are streams of {request.parent}")
            when, errors = self._streams.commit(names)
            return types.BatchCommitWriteStreamsResponse(
                commit_time=when, stream_errors=[_storage_error(code, name) for name, code in errors.items()]
            )

        def faulty(fault: Fault) -> types.BatchCommitWriteStreamsResponse:
            if fault.what == "no commit time":
                return types.BatchCommitWriteStreamsResponse()
            errors = [_storage_error(Code[fault.what], name) for name in names]
            return types.BatchCommitWriteStreamsResponse(stream_errors=errors)

        return self._answered("commit", table, context, commit, faulty)

    def _answered(
        self,
        step: str,
        table: str,
        context: grpc.ServicerContext,
        apply: Callable[[], Any],
        faulty: Callable[[Fault], Any] | None = None,
    ) -> Any:
        """The reply of a unary call. `faulty` makes that of a fault which only this step knows."""
        with self._recorded(context):
            fault = self._script.call(step, table=table)
            if fault is None or fault.what == "as usual":
                return apply()
            _before(fault, context)
            if fault.what not in ("held", "late", "reply lost"):
                assert faulty is not None, fault
                return faulty(fault)
            reply = apply()
            _after(fault, context)
            return reply

    def _append(
        self, requests: Iterator[types.AppendRowsRequest], context: grpc.ServicerContext
    ) -> Iterator[types.AppendRowsResponse]:
        schema: pa.Schema | None = None
        stream: Stream | None = None
        unanswered: list[types.AppendRowsResponse] = []
        for request in requests:
            with self._recorded(context):
                table = _parts(request.write_stream or stream and stream.name or "", context)[2]
                fault = self._script.call("append", table=table)
                if fault is not None:
                    _before(fault, context)
                    if refusal := _scripted_refusal(fault, request.write_stream):
                        yield refusal
                        continue
                if request.arrow_rows.writer_schema.serialized_schema:
                    schema = pa.ipc.read_schema(pa.py_buffer(request.arrow_rows.writer_schema.serialized_schema))
                if stream is None or request.write_stream not in ("", stream.name):
                    stream = self._stream(request.write_stream, context)
                unanswered.append(self._taken(stream, schema, request))
                if fault is not None:
                    _after(fault, context)
                    if fault.what == "ALREADY_EXISTS":
                        unanswered[-1] = _scripted_error(fault, stream.name)
                if not self._script.loses("append", table):
                    yield from unanswered
                    unanswered.clear()
        yield from unanswered

    def _taken(
        self, stream: Stream, schema: pa.Schema | None, request: types.AppendRowsRequest
    ) -> types.AppendRowsResponse:
        try:
            if schema is None:
                raise AppendError("The first request of a connection has no Arrow schema")
            if types.AppendRowsRequest.pb(request).ByteSize() > _MAX_REQUEST_BYTES:
                raise AppendError("Request is larger than 10 MB")
            data = pa.py_buffer(request.arrow_rows.rows.serialized_record_batch)
            offset = self._streams.append(stream, pa.ipc.read_record_batch(data, schema), request.offset)
        except AppendError as error:
            return _refusal(error, stream.name)
        return types.AppendRowsResponse(append_result={"offset": offset}, write_stream=stream.name)

    def _stream(self, name: str, context: grpc.ServicerContext) -> Stream:
        found = self._streams.get(name)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Requested entity was not found. Entity: {name}")
        return found

    @contextmanager
    def _recorded(self, context: grpc.ServicerContext) -> Iterator[None]:
        """An exception that is no answer is a defect of this server: the test that met it fails."""
        try:
            yield
        except Exception as error:
            if context.code() is None:
                self._broken.append(error)
            raise


def _before(fault: Fault, context: grpc.ServicerContext) -> None:
    """What happens instead of the call, or before it."""
    if fault.what == "silence":
        fault.wait(until_left=context.add_callback)
        _break(fault, context)
    if fault.what == "held":
        fault.wait()
    if fault.what == "break before":
        _break(fault, context)
    if fault.step != "append" and fault.what in grpc.StatusCode.__members__:
        context.abort(grpc.StatusCode[fault.what], "as the test says")


def _after(fault: Fault, context: grpc.ServicerContext) -> None:
    """What happens to the reply."""
    if fault.what == "late":
        fault.wait(until_left=context.add_callback)
    if fault.what in ("reply lost", "break after"):
        _break(fault, context)


def _break(fault: Fault, context: grpc.ServicerContext) -> NoReturn:
    context.abort(grpc.StatusCode[fault.code], "as the test says")
    raise AssertionError


def _scripted_refusal(fault: Fault, stream: str) -> types.AppendRowsResponse | None:
    """Of rows that are not taken."""
    if fault.what == "row errors":
        return _refusal(AppendError("as the test says", rows=[fault.rows]), stream)
    is_status = fault.what in grpc.StatusCode.__members__ and fault.what != "ALREADY_EXISTS"
    return _scripted_error(fault, stream) if is_status else None


def _scripted_error(fault: Fault, stream: str) -> types.AppendRowsResponse:
    code = code_pb2.Code.Value(fault.what)
    storage = {"ALREADY_EXISTS": Code.OFFSET_ALREADY_EXISTS, "OUT_OF_RANGE": Code.OFFSET_OUT_OF_RANGE}.get(fault.what)
    return _refusal(AppendError("as the test says", code=code, storage=storage), stream)


def _refusal(error: AppendError, stream: str) -> types.AppendRowsResponse:
    status = status_pb2.Status(code=error.code, message=error.message)
    if error.storage is not None:
        status.details.add().Pack(types.StorageError.pb(_storage_error(error.storage, stream)))
    row_errors = [
        types.RowError(index=index, code=types.RowError.RowErrorCode.FIELDS_ERROR, message=error.message)
        for index in error.rows
    ]
    return types.AppendRowsResponse(error=status, row_errors=row_errors, write_stream=stream)


def _storage_error(code: Code, stream: str) -> types.StorageError:
    return types.StorageError(code=code, entity=stream, error_message=f"{Code(code).name}: {stream}")


def _described(stream: Stream) -> types.WriteStream:
    return types.WriteStream(
        name=stream.name,
        type_=types.WriteStream.Type.PENDING,
        create_time=stream.created,
        commit_time=stream.committed,
        location=stream.table.location,
        table_schema=types.TableSchema(fields=list(map(_proto_field, stream.table.columns))),
    )


def _proto_field(column: Column) -> types.TableFieldSchema:
    return types.TableFieldSchema(
        name=column.name,
        type_=types.TableFieldSchema.Type[_TYPES.get(column.type, column.type)],
        mode=types.TableFieldSchema.Mode[column.mode],
        fields=list(map(_proto_field, column.fields)),
    )


def _parts(path: str, context: grpc.ServicerContext) -> tuple[str, str, str]:
    found = _TABLE.fullmatch(path)
    if found is None:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{path!r} is neither a table nor a stream")
        raise AssertionError
    project, dataset, table = found.groups()
    return project, dataset, table


def _unary(handle: Callable[..., Any], request: Any, reply: Any) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=request.deserialize, response_serializer=reply.serialize
    )
