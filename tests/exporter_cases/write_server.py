"""Handlers of a test → the Storage Write API on a port of this machine, and Google's client of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THREADS = "write server"
"""What the names of the server's threads begin with."""

_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_UNARY: dict[str, tuple[Any, Any]] = {
    "BatchCommitWriteStreams": (types.BatchCommitWriteStreamsRequest, types.BatchCommitWriteStreamsResponse),
    "CreateWriteStream": (types.CreateWriteStreamRequest, types.WriteStream),
    "FinalizeWriteStream": (types.FinalizeWriteStreamRequest, types.FinalizeWriteStreamResponse),
    "GetWriteStream": (types.GetWriteStreamRequest, types.WriteStream),
}


@contextmanager
def serving(**handlers: Callable[[Any, grpc.ServicerContext], Any]) -> Iterator[BigQueryWriteClient]:
    """By the names of the methods. Each is given its request, or AppendRows an iterator of them, and the call."""
    methods = {name: _method(name, handler) for name, handler in handlers.items()}
    server = grpc.server(ThreadPoolExecutor(8, thread_name_prefix=THREADS))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with client_of(address) as client:
            yield client
    finally:
        assert server.stop(None).wait(10)


@contextmanager
def client_of(address: str) -> Iterator[BigQueryWriteClient]:
    with grpc.insecure_channel(address) as channel:
        yield BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))


def wait_for_the_end(call: grpc.ServicerContext) -> None:
    """For a handler that does not answer, until its client or its server gives up."""
    ended = threading.Event()
    if call.add_callback(ended.set):
        ended.wait(60)


def _method(name: str, handler: Callable[[Any, grpc.ServicerContext], Any]) -> grpc.RpcMethodHandler:
    if name == "AppendRows":
        return grpc.stream_stream_rpc_method_handler(
            handler,
            request_deserializer=types.AppendRowsRequest.deserialize,
            response_serializer=types.AppendRowsResponse.serialize,
        )
    request, response = _UNARY[name]
    return grpc.unary_unary_rpc_method_handler(
        handler, request_deserializer=request.deserialize, response_serializer=response.serialize
    )
