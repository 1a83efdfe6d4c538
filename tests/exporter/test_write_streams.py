"""Several write streams of a unit, against the emulator and against a server of this file."""

from __future__ import annotations

import signal
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2, status_pb2

from emulator.clients import batch
from exporter import WriteError, write_stream, write_streams
from exporter.commits import commit
from exporter.write_stream import NOTHING_VISIBLE
from exporter.write_streams import WriteStreams
from exporter_cases.shop import OrderExtractor, instant
from exporter_cases.write_server import THREADS, serving, wait_for_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    import grpc
    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

    from conftest import MakeWarehouse

TABLE = "projects/p/datasets/d/tables/t"
SCHEMA = bytes(batch(timestamp=[instant("2025-01-01")], number=[0]).schema.serialize())


class Server:
    """The Storage Write API with streams 1, 2, 3, … that take one row a request."""

    def __init__(self) -> None:
        self.taken: dict[int, list[int]] = defaultdict(list)
        """By stream, the offsets of its requests."""
        self.finalized: list[int] = []
        self.before: Callable[[int, int], str] = lambda _stream, _offset: ""
        """Called with the stream and the offset of each append. "deaf": there will be no answer; or a code."""
        self._made = 0

    @contextmanager
    def running(self) -> Iterator[BigQueryWriteClient]:
        with serving(
            CreateWriteStream=self._create, AppendRows=self._append, FinalizeWriteStream=self._finalize
        ) as client:
            yield client

    @property
    def requests(self) -> int:
        return sum(map(len, self.taken.values()))

    def _create(self, _request: types.CreateWriteStreamRequest, _call: grpc.ServicerContext) -> types.WriteStream:
        self._made += 1
        return types.WriteStream(name=f"{TABLE}/streams/{self._made}")

    def _append(
        self, requests: Iterator[types.AppendRowsRequest], call: grpc.ServicerContext
    ) -> Iterator[types.AppendRowsResponse]:
        for request in requests:
            stream = _number(request.write_stream)
            answer = self.before(stream, request.offset)
            if answer == "deaf":
                wait_for_the_end(call)
                return
            if answer:
                status = status_pb2.Status(code=code_pb2.Code.Value(answer), message="as the test says")
                yield types.AppendRowsResponse(error=status, row_errors=[types.RowError(index=0, message="refused")])
                continue
            self.taken[stream].append(request.offset)
            yield types.AppendRowsResponse(append_result={"offset": request.offset})

    def _finalize(
        self, request: types.FinalizeWriteStreamRequest, _call: grpc.ServicerContext
    ) -> types.FinalizeWriteStreamResponse:
        stream = _number(request.name)
        self.finalized.append(stream)
        return types.FinalizeWriteStreamResponse(row_count=len(self.taken[stream]))


@pytest.fixture
def small_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one after each ten requests of `_append`."""
    monkeypatch.setattr(write_streams, "STREAM_BYTES", 10)


@pytest.fixture
def tiny_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four as soon as four requests are sent."""
    monkeypatch.setattr(write_streams, "STREAM_BYTES", 1)


@pytest.mark.usefixtures("tiny_streams")
def test_all_become_visible_together_and_once(make_warehouse: MakeWarehouse) -> None:
    warehouse = make_warehouse(OrderExtractor)
    parent = warehouse.clients.parent(f"{warehouse.dataset}.order")
    with WriteStreams(warehouse.clients.write, table_path=parent, schema=SCHEMA, location="order") as streams:
        for number in range(20):
            orders = batch(timestamp=[instant("2025-01-01")] * 2, number=[number, number + 100])
            streams.append(rows=2, data=bytes(orders.serialize()))
        streams.finalize()
        before = warehouse.rows("order")

        for _ in range(2):
            commit(warehouse.clients.write, table_path=parent, streams=streams.names, location="order")

    assert (len({*streams.names}), before) == (4, [])
    assert warehouse.rows("order", "number") == [(number,) for number in [*range(20), *range(100, 120)]]


def test_what_is_small_has_one_stream() -> None:
    server = Server()

    with server.running() as client, _streams(client) as streams:
        _append(streams, 50)
        streams.finalize()

    assert server.taken == {1: list(range(50))}
    assert streams.names == (f"{TABLE}/streams/1",)


def test_nothing_to_send_is_no_stream() -> None:
    with Server().running() as client, _streams(client) as streams:
        streams.finalize()

    assert streams.names == ()


@pytest.mark.usefixtures("small_streams")
@pytest.mark.parametrize(("requests", "expected"), [(10, 1), (11, 2), (20, 2), (21, 3), (31, 4), (41, 4), (200, 4)])
def test_every_so_many_bytes_there_is_one_more_and_then_no_more(requests: int, expected: int) -> None:
    server = Server()

    with server.running() as client, _streams(client) as streams:
        _append(streams, requests)
        streams.finalize()

    assert server.requests == requests
    assert {stream: len(offsets) for stream, offsets in server.taken.items()} == {
        stream: offsets[-1] + 1 for stream, offsets in server.taken.items()
    }
    assert server.finalized == list(range(1, expected + 1))
    assert streams.names == tuple(f"{TABLE}/streams/{number}" for number in range(1, expected + 1))


@pytest.mark.usefixtures("tiny_streams")
def test_a_stream_that_is_slow_does_not_hold_up_the_others() -> None:
    server = Server()
    others_are_done = threading.Event()

    def slow(stream: int, _offset: int) -> str:
        if stream == 2:
            assert others_are_done.wait(20)
        return ""

    server.before = slow
    with server.running() as client, _streams(client) as streams:
        for number in range(100):
            _append(streams, 1)
            if number == 90:
                held = len(server.taken[2])
                others_are_done.set()
        streams.finalize()

    assert (held, server.requests) == (0, 100)


@pytest.mark.usefixtures("tiny_streams")
def test_at_most_eight_are_unacknowledged_of_all_streams_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "UNACKNOWLEDGED_SECONDS", 1.0)
    monkeypatch.setattr(write_streams, "_MOMENT_SECONDS", 0.1)
    server = Server()
    server.before = lambda _stream, _offset: "deaf"

    with server.running() as client, _streams(client) as streams:
        with pytest.raises(WriteError, match="no acknowledgement within 1 s"):
            _append(streams, 20)
        sent = [stream.rows for stream in streams._streams]

    assert sent == [2, 2, 2, 2]


@pytest.mark.usefixtures("tiny_streams")
def test_a_refused_row_is_named_by_its_place_in_the_unit() -> None:
    server = Server()
    server.before = lambda stream, offset: "INVALID_ARGUMENT" if (stream, offset) == (3, 0) else ""

    with server.running() as client, _streams(client) as streams, pytest.raises(WriteError) as caught:
        _send(streams, 100)

    assert (caught.value.location, caught.value.problem, caught.value.remedy) == (
        "order",
        "BigQuery refused the rows: INVALID_ARGUMENT: as the test says; row 3 of the unit: refused.",
        NOTHING_VISIBLE,
    )


@pytest.mark.usefixtures("tiny_streams")
def test_a_server_that_counts_other_rows_of_one() -> None:
    server = Server()

    with server.running() as client, _streams(client) as streams:
        _append(streams, 8)
        for stream in streams._streams:
            while stream.unacknowledged:
                stream.take_acknowledgement()
        rows = streams._streams[2].rows
        server.taken[3].pop()
        with pytest.raises(WriteError) as caught:
            streams.finalize()

    assert caught.value.problem == f"BigQuery counts {rows - 1} rows in the write stream, {rows} were sent."
    assert server.finalized == [1, 2, 3]


@pytest.mark.usefixtures("tiny_streams")
class TestLeaving:
    """Leaves no thread and no call, of no stream."""

    @pytest.mark.parametrize("deaf", [{}, {1}, {4}, {1, 2, 3, 4}], ids=str)
    @pytest.mark.parametrize("size", [1, 2_000_000], ids=["which reads", "which reads no more"])
    def test_a_server(self, deaf: set[int], size: int) -> None:
        server = Server()
        server.before = lambda stream, _offset: "deaf" if stream in deaf else ""
        before = {*threading.enumerate()}

        with server.running() as client:
            with _streams(client) as streams:
                for _ in range(8):
                    streams.append(rows=1, data=bytes(size))
            left = _threads_since(before)

        assert left == []

    @pytest.mark.parametrize("stream", [1, 2, 4])
    @pytest.mark.parametrize("offset", [0, 1])
    def test_by_a_signal(self, stream: int, offset: int) -> None:
        """It may arrive anywhere in an append, or while a stream is opened or replies are waited for."""
        main = threading.main_thread().ident
        assert main is not None

        class Interrupted(BaseException):
            pass

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            raise Interrupted

        def before_append(of: int, at: int) -> str:
            if (of, at) == (stream, offset):
                signal.pthread_kill(main, signal.SIGUSR1)
            return "deaf" if (of, at) >= (stream, offset) else ""

        server = Server()
        server.before = before_append
        usual = signal.signal(signal.SIGUSR1, interrupt)
        before = {*threading.enumerate()}
        try:
            with server.running() as client:
                with pytest.raises(Interrupted), _streams(client) as streams:
                    _send(streams, 20)
                left = _threads_since(before)
        finally:
            signal.signal(signal.SIGUSR1, usual)

        assert left == []


def _streams(client: BigQueryWriteClient) -> WriteStreams:
    return WriteStreams(client, table_path=TABLE, schema=SCHEMA, location="order")


def _send(streams: WriteStreams, count: int) -> None:
    _append(streams, count)
    streams.finalize()


def _append(streams: WriteStreams, count: int) -> None:
    """A row and a byte each."""
    for _ in range(count):
        streams.append(rows=1, data=b"1")


def _number(stream: str) -> int:
    return int(stream.rpartition("/")[2])


def _threads_since(before: set[threading.Thread]) -> list[str]:
    """Those that do not end. gRPC's end a moment after the call."""
    left = [thread for thread in {*threading.enumerate()} - before if not _serves(thread)]
    end = time.monotonic() + 10
    while any(thread.is_alive() for thread in left) and time.monotonic() < end:
        time.sleep(0.01)
    return [thread.name for thread in left if thread.is_alive()]


def _serves(thread: threading.Thread) -> bool:
    return thread.name.startswith(THREADS) or "(_serve)" in thread.name
