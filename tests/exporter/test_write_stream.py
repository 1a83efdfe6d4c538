"""A write stream against the emulator, and against a server of this file that breaks where a test says."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import grpc
import pytest
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.rpc import code_pb2, status_pb2

from emulator.clients import batch
from exporter import WriteError, write_stream
from exporter.errors import StreamsGoneError
from exporter.write_stream import NOTHING_VISIBLE, WriteStream, commit
from exporter_cases.shop import OrderExtractor, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from conftest import MakeWarehouse
    from emulator.warehouse import WarehouseCopy

STREAM = "projects/p/datasets/d/tables/t/streams/s"


class TestAgainstTheEmulator:
    @pytest.fixture
    def warehouse(self, make_warehouse: MakeWarehouse) -> WarehouseCopy:
        return make_warehouse(OrderExtractor)

    @pytest.fixture
    def opened(self, warehouse: WarehouseCopy) -> Callable[[], WriteStream]:
        return lambda: _open(warehouse.clients.write, warehouse.clients.parent(f"{warehouse.dataset}.order"))

    def test_nothing_is_visible_before_the_commit(
        self, warehouse: WarehouseCopy, opened: Callable[[], WriteStream]
    ) -> None:
        with opened() as stream:
            for number in range(100):
                stream.append(rows=1, data=_data(_orders(number)))
                assert len(stream._window) <= write_stream._MAX_UNACKNOWLEDGED
            stream.finalize()
        before = warehouse.rows("order")
        parent = warehouse.clients.parent(f"{warehouse.dataset}.order")

        for _ in range(2):
            commit(warehouse.clients.write, table_path=parent, streams=[stream.name], location="order")

        assert (before, stream.rows) == ([], 100)
        assert warehouse.rows("order", "number") == [(number,) for number in range(100)]

    def test_leaving_the_context_leaves_no_thread(
        self, warehouse: WarehouseCopy, opened: Callable[[], WriteStream]
    ) -> None:
        with opened() as stream:
            stream.append(rows=1, data=_data(_orders(1)))

        assert stream.name not in " ".join(thread.name for thread in threading.enumerate())
        assert warehouse.rows("order") == []

    def test_refused_rows_are_named(self, opened: Callable[[], WriteStream]) -> None:
        with opened() as stream:
            stream.append(rows=2, data=_data(_orders(1, None)))
            with pytest.raises(WriteError) as caught:
                stream.finalize()

        assert caught.value.location == "order"
        assert caught.value.problem.startswith("BigQuery refused the rows: ")
        assert "INVALID_ARGUMENT" in caught.value.problem
        assert "row 1: " in caught.value.problem
        assert caught.value.remedy == NOTHING_VISIBLE

    def test_a_table_that_is_missing(self, warehouse: WarehouseCopy, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(write_stream, "_RETRY_OPENING", write_stream._RETRY_OPENING.with_timeout(0.2))

        with pytest.raises(WriteError, match=r"^order: cannot open a write stream: "):
            _open(warehouse.clients.write, warehouse.clients.parent(f"{warehouse.dataset}.nothing"))


class Server:
    """The Storage Write API with one stream, one row a request, and for each request a fault or the empty string.

    A fault is "break before" or "break after" the row is taken, "silence", or the code of a refusal.
    """

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults
        self._stopped = threading.Event()
        self.offsets: list[int] = []
        self.connections = 0
        handlers = {
            "CreateWriteStream": grpc.unary_unary_rpc_method_handler(
                lambda *_: types.WriteStream(name=STREAM), response_serializer=types.WriteStream.serialize
            ),
            "AppendRows": grpc.stream_stream_rpc_method_handler(
                self._append,
                request_deserializer=types.AppendRowsRequest.deserialize,
                response_serializer=types.AppendRowsResponse.serialize,
            ),
            "FinalizeWriteStream": grpc.unary_unary_rpc_method_handler(
                lambda *_: types.FinalizeWriteStreamResponse(row_count=len(self.offsets)),
                response_serializer=types.FinalizeWriteStreamResponse.serialize,
            ),
        }
        self._server = grpc.server(ThreadPoolExecutor(4))
        service = "google.cloud.bigquery.storage.v1.BigQueryWrite"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

        self._server.start()

    def stop(self) -> None:
        self._stopped.set()
        self._server.stop(None).wait(10)

    def _append(
        self, requests: Iterator[types.AppendRowsRequest], context: grpc.ServicerContext
    ) -> Iterator[types.AppendRowsResponse]:
        self.connections += 1
        for request in requests:
            fault = self._faults.pop(0) if self._faults else ""
            if fault == "break before":
                context.abort(grpc.StatusCode.UNAVAILABLE, "going away")
            if fault.isupper():
                yield _refusal(code_pb2.Code.Value(fault), "as the test says")
                continue
            if request.offset == len(self.offsets):
                self.offsets.append(request.offset)
                if fault == "break after":
                    context.abort(grpc.StatusCode.UNAVAILABLE, "going away")
                if fault == "silence":
                    self._stopped.wait(10)
                yield types.AppendRowsResponse(append_result={"offset": request.offset})
            elif request.offset < len(self.offsets):
                yield _refusal(code_pb2.ALREADY_EXISTS, "is there")
            else:
                yield _refusal(code_pb2.OUT_OF_RANGE, "leaves a hole")


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, BigQueryWriteClient]]]:
    servers: list[Server] = []
    channels: list[grpc.Channel] = []

    def start(*faults: str) -> tuple[Server, BigQueryWriteClient]:
        servers.append(Server(list(faults)))
        client, channel = _client(servers[-1].address)
        channels.append(channel)
        return servers[-1], client

    yield start
    for channel in channels:
        channel.close()
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(["break before"], id="the first call breaks"),
        pytest.param(["break after"], id="its answer is lost"),
        pytest.param(["", "", "break before"], id="a later call breaks"),
        pytest.param(["", "", "break after", "break after"], id="twice"),
        pytest.param(["", "ABORTED"], id="told to try again"),
        pytest.param(["INTERNAL", "", "", "UNAVAILABLE"], id="told to try again, twice"),
    ],
)
def test_every_row_arrives_once_and_in_order(
    serve: Callable[..., tuple[Server, BigQueryWriteClient]], faults: list[str]
) -> None:
    server, client = serve(*faults)

    with _open(client) as stream:
        for number in range(20):
            stream.append(rows=1, data=_data(_orders(number)))
        stream.finalize()

    assert server.offsets == list(range(20))
    assert server.connections > 1


def test_a_server_that_says_nothing(
    serve: Callable[..., tuple[Server, BigQueryWriteClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = serve("", "silence")
    monkeypatch.setattr(write_stream, "_GIVE_UP_SECONDS", 0.5)

    with _open(client) as stream:
        for number in range(write_stream._MAX_UNACKNOWLEDGED + 1):
            stream.append(rows=1, data=_data(_orders(number)))
        with pytest.raises(WriteError, match=r"^order: no acknowledgement for 0 s\."):
            stream.append(rows=1, data=_data(_orders(9)))

    assert not stream._thread.is_alive()


def test_a_server_that_refuses_for_good(serve: Callable[..., tuple[Server, BigQueryWriteClient]]) -> None:
    server, client = serve("", "PERMISSION_DENIED")

    with _open(client) as stream:
        stream.append(rows=1, data=_data(_orders(1)))
        stream.append(rows=1, data=_data(_orders(2)))
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    assert "PERMISSION_DENIED as the test says" in caught.value.problem
    assert server.connections == 1


def test_a_server_that_counts_other_rows(serve: Callable[..., tuple[Server, BigQueryWriteClient]]) -> None:
    server, client = serve()

    with _open(client) as stream:
        stream.append(rows=2, data=_data(_orders(1, 2)))
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    assert caught.value.problem == "BigQuery counts 1 rows in the write stream, 2 were sent."
    assert server.offsets == [0]


def test_a_port_that_refuses_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "_RETRY_OPENING", write_stream._RETRY_OPENING.with_timeout(0.5))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        client, channel = _client(f"127.0.0.1:{bound.getsockname()[1]}")

        with channel, pytest.raises(WriteError, match=r"^order: cannot open a write stream: .*onnect") as caught:
            _open(client)

    assert caught.value.remedy == NOTHING_VISIBLE


class TestCommit:
    def test_a_commit_time_is_success(self) -> None:
        _commit(types.BatchCommitWriteStreamsResponse(commit_time=instant("2025-01-01")), "a")

    def test_already_committed_is_success(self) -> None:
        _commit(_errors(*["STREAM_ALREADY_COMMITTED"] * 2), "a", "b")

    @pytest.mark.parametrize(
        ("codes", "problem"),
        [
            ([], "BigQuery answered without a commit time"),
            (["STREAM_ALREADY_COMMITTED"], "STREAM_ALREADY_COMMITTED"),
            (["STREAM_ALREADY_COMMITTED", "INVALID_STREAM_STATE"], "INVALID_STREAM_STATE"),
            (["STREAM_NOT_FOUND", "INVALID_STREAM_STATE"], "STREAM_NOT_FOUND; INVALID_STREAM_STATE"),
        ],
    )
    def test_all_else_is_not(self, codes: list[str], problem: str) -> None:
        with pytest.raises(WriteError) as caught:
            _commit(_errors(*codes), "a", "b")

        assert caught.value.problem == f"prepared, but the commit did not succeed: {problem}."
        assert not isinstance(caught.value, StreamsGoneError)
        assert caught.value.remedy == "Run the command again: it commits the same streams, and no row twice."

    def test_unknown_streams_are_gone(self) -> None:
        with pytest.raises(StreamsGoneError, match="STREAM_NOT_FOUND"):
            _commit(_errors("STREAM_NOT_FOUND"), "a")


def _commit(reply: types.BatchCommitWriteStreamsResponse, *streams: str) -> None:
    client = SimpleNamespace(batch_commit_write_streams=lambda **_: reply)
    commit(cast("BigQueryWriteClient", client), table_path="projects/p", streams=streams, location="order")


def _errors(*codes: str) -> types.BatchCommitWriteStreamsResponse:
    errors = [types.StorageError(code=code, error_message=code) for code in codes]
    return types.BatchCommitWriteStreamsResponse(stream_errors=errors)


def _refusal(code: int, message: str) -> types.AppendRowsResponse:
    return types.AppendRowsResponse(error=status_pb2.Status(code=code, message=message))


def _client(address: str) -> tuple[BigQueryWriteClient, grpc.Channel]:
    channel = grpc.insecure_channel(address)
    transport = BigQueryWriteClient.get_transport_class("grpc")
    return BigQueryWriteClient(transport=transport(channel=channel)), channel


def _open(client: BigQueryWriteClient, table_path: str = "projects/p/datasets/d/tables/t") -> WriteStream:
    schema = bytes(_orders(0).schema.serialize())
    return WriteStream(client, table_path=table_path, schema=schema, location="order")


def _orders(*numbers: int | None) -> pa.RecordBatch:
    timestamps = [instant("2025-01-01")] * len(numbers)
    return batch(timestamp=timestamps, number=list(numbers))


def _data(orders: pa.RecordBatch) -> bytes:
    return bytes(orders.serialize())
