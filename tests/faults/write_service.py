"""Calls of the Storage Write API, over gRPC → streams, and the faults that a test has scripted for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.bigquery_storage_v1 import types

from faults.appends import Connection
from faults.calls import aborted, after, before, names, recorded
from faults.errors import ApiError
from faults.messages import described, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.script import Fault, Script
    from faults.streams import Stream, Streams

SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
STOP_SECONDS = 10.0
_THREADS = 64  # an open AppendRows call holds one


class WriteService:
    """A gRPC server on a free port."""

    def __init__(self, streams: Streams, script: Script, broken: list[BaseException]) -> None:
        self._streams = streams
        self._script = script
        self._broken = broken
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="faults write")
        self._server = grpc.server(self._executor, options=[("grpc.max_receive_message_length", -1)])
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        """After the script has released all that waits."""
        self._server.stop(None).wait(STOP_SECONDS)
        self._executor.shutdown(wait=True)

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        return {
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

    def _append(
        self, requests: Iterator[types.AppendRowsRequest], context: grpc.ServicerContext
    ) -> Iterator[types.AppendRowsResponse]:
        return Connection(self._streams, self._script, self._broken, context).replies(requests)

    def _create(self, request: types.CreateWriteStreamRequest, context: grpc.ServicerContext) -> object:
        dataset, table = names(request.parent, context)

        def create() -> types.WriteStream:
            if request.write_stream.type_ != types.WriteStream.Type.PENDING:
                aborted(context, grpc.StatusCode.INVALID_ARGUMENT, "The fault server has PENDING streams only")
            try:
                return described(self._streams.create(request.parent, dataset, table))
            except ApiError as error:
                aborted(context, grpc.StatusCode.NOT_FOUND, error.message)

        return self._answered("open", request.parent, context, create)

    def _get(self, request: types.GetWriteStreamRequest, context: grpc.ServicerContext) -> object:
        return self._answered(
            "get stream", request.name, context, lambda: described(self._stream(request.name, context))
        )

    def _finalize(self, request: types.FinalizeWriteStreamRequest, context: grpc.ServicerContext) -> object:
        def finalize() -> types.FinalizeWriteStreamResponse:
            rows = self._streams.finalize(self._stream(request.name, context))
            return types.FinalizeWriteStreamResponse(row_count=rows)

        def other_count(fault: Fault) -> types.FinalizeWriteStreamResponse:
            reply = finalize()
            reply.row_count += fault.rows
            return reply

        return self._answered("finalize", request.name, context, finalize, other_count)

    def _commit(self, request: types.BatchCommitWriteStreamsRequest, context: grpc.ServicerContext) -> object:
        streams = list(dict.fromkeys(request.write_streams))

        def commit() -> types.BatchCommitWriteStreamsResponse:
            if not all(name.startswith(f"{request.parent}/streams/") for name in streams):
                aborted(context, grpc.StatusCode.INVALID_ARGUMENT, f"Not all are streams of {request.parent}")
            when, errors = self._streams.commit(streams)
            return types.BatchCommitWriteStreamsResponse(
                commit_time=when, stream_errors=[storage_error(code, name) for name, code in errors.items()]
            )

        def refused(fault: Fault) -> types.BatchCommitWriteStreamsResponse:
            if fault.what == "no commit time":
                return types.BatchCommitWriteStreamsResponse()
            errors = [storage_error(fault.what, name) for name in streams]
            return types.BatchCommitWriteStreamsResponse(stream_errors=errors)

        return self._answered("commit", request.parent, context, commit, refused)

    def _answered(
        self,
        step: str,
        path: str,
        context: grpc.ServicerContext,
        apply: Callable[[], Any],
        instead: Callable[[Fault], Any] | None = None,
    ) -> object:
        """The reply of a unary call. `instead` makes that of a fault which only this step knows."""
        with recorded(context, self._broken):
            fault = self._script.call(step, table=names(path, context)[1])
            if fault is None:
                return apply()
            before(fault, context)
            if instead is not None and fault.is_of_its_step:
                return instead(fault)
            reply = apply()
            after(fault, context)
            return reply

    def _stream(self, name: str, context: grpc.ServicerContext) -> Stream:
        found = self._streams.get(name)
        if found is None:
            aborted(context, grpc.StatusCode.NOT_FOUND, f"Requested entity was not found. Entity: {name}")
        return found


def _unary(handle: Callable[..., Any], request: Any, reply: Any) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=request.deserialize, response_serializer=reply.serialize
    )
