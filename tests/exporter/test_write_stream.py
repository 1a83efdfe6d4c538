"""A write stream against the emulator, and against a server of this file that breaks where a test says."""

from __future__ import annotations

import gc
import itertools
import signal
import socket
import threading
import time
import traceback
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from google.cloud.bigquery_storage_v1 import types
from google.rpc import code_pb2, status_pb2

from emulator.clients import batch
from exporter import WriteError, append_call, write_stream
from exporter.commits import commit
from exporter.patience import RETRY
from exporter.write_stream import CLOSE_SECONDS, NOTHING_VISIBLE, WriteStream
from exporter_cases.shop import OrderExtractor, instant
from exporter_cases.write_server import THREADS, client_of, serving, wait_for_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    import pyarrow as pa
    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

    from conftest import MakeWarehouse
    from emulator.warehouse import WarehouseCopy

STREAM = "projects/p/datasets/d/tables/t/streams/s"
SCHEMA = bytes(batch(timestamp=[instant("2025-01-01")], number=[0]).schema.serialize())


class TestAgainstTheEmulator:
    @pytest.fixture
    def warehouse(self, make_warehouse: MakeWarehouse) -> WarehouseCopy:
        return make_warehouse(OrderExtractor)

    @pytest.fixture
    def opened(self, warehouse: WarehouseCopy) -> Callable[[], _Stream]:
        return lambda: _open(warehouse.clients.write, warehouse.clients.parent(f"{warehouse.dataset}.order"))

    def test_nothing_is_visible_before_the_commit(
        self, warehouse: WarehouseCopy, opened: Callable[[], _Stream]
    ) -> None:
        with opened() as stream:
            _append(stream, 100)
            stream.finalize()
        before = warehouse.rows("order")
        parent = warehouse.clients.parent(f"{warehouse.dataset}.order")

        for _ in range(2):
            commit(warehouse.clients.write, table_path=parent, streams=[stream.name], location="order")

        assert (before, stream.rows) == ([], 100)
        assert warehouse.rows("order", "number") == [(number,) for number in range(100)]

    def test_leaving_without_finalize_leaves_nothing(
        self, warehouse: WarehouseCopy, opened: Callable[[], _Stream]
    ) -> None:
        before = {*threading.enumerate()}

        with opened() as stream:
            stream.append(rows=1, data=_data(_orders(1)))

        assert _threads_since(before) == []
        assert warehouse.rows("order") == []

    def test_refused_rows_are_named(self, opened: Callable[[], _Stream]) -> None:
        with opened() as stream:
            stream.append(rows=3, data=_data(_orders(1, 2, 3)))
            stream.append(rows=2, data=_data(_orders(4, None)))
            with pytest.raises(WriteError) as caught:
                stream.finalize()

        assert caught.value.location == "order"
        assert caught.value.problem.startswith("BigQuery refused the rows: INVALID_ARGUMENT: ")
        assert "; row 5 of the unit: " in caught.value.problem
        assert caught.value.remedy == NOTHING_VISIBLE

    def test_a_table_that_is_missing(self, warehouse: WarehouseCopy, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("exporter.write_stream.RETRY", RETRY.with_timeout(0.2))

        with pytest.raises(WriteError, match=r"^order: cannot open a write stream: NOT_FOUND: "):
            _open(warehouse.clients.write, warehouse.clients.parent(f"{warehouse.dataset}.nothing"))


class Server:
    """The Storage Write API with one stream that takes one row a request.

    It has a fault or the empty string for each request, and codes with which it answers the first calls that open or
    finalize. A fault is one of "break before" and "break after" the row is taken, "end" as if all were said, "silence"
    after the row was taken and "deaf" before, a code in the reply, or "call" and the code that ends the call.
    """

    def __init__(self, *faults: str, opening: Sequence[str] = (), finalizing: Sequence[str] = ()) -> None:
        self._faults = [*faults]
        self._opening = [*opening]
        self._finalizing = [*finalizing]
        self.calls = 0
        self.offsets: list[int] = []
        """Of the rows that were taken."""
        self.asked: list[int] = []
        """The offsets of all requests."""
        self.routes: set[object] = set()
        """Where Google's front end would send the calls."""
        self.described: list[bool] = []
        """Of each request, whether the first of its call, and no other, has the schema."""
        self.on_request: Callable[[int], object] = lambda _offset: None
        """Called with the offset of each append, and -1 for the other calls."""

    @contextmanager
    def running(self) -> Iterator[BigQueryWriteClient]:
        with serving(
            CreateWriteStream=self._create, AppendRows=self._append, FinalizeWriteStream=self._finalize
        ) as client:
            yield client

    def _create(self, _: types.CreateWriteStreamRequest, call: grpc.ServicerContext) -> types.WriteStream:
        self.on_request(-1)
        if self._opening:
            call.abort(grpc.StatusCode[self._opening.pop(0)], "as the test says")
        return types.WriteStream(name=STREAM)

    def _finalize(
        self, _: types.FinalizeWriteStreamRequest, call: grpc.ServicerContext
    ) -> types.FinalizeWriteStreamResponse:
        self.on_request(-1)
        if self._finalizing:
            call.abort(grpc.StatusCode[self._finalizing.pop(0)], "as the test says")
        return types.FinalizeWriteStreamResponse(row_count=len(self.offsets))

    def _append(
        self, requests: Iterator[types.AppendRowsRequest], call: grpc.ServicerContext
    ) -> Iterator[types.AppendRowsResponse]:
        self.calls += 1
        self.routes.add(dict(call.invocation_metadata()).get("x-goog-request-params"))
        expected = SCHEMA
        for request in requests:
            self.asked.append(request.offset)
            self.described.append(request.arrow_rows.writer_schema.serialized_schema == expected)
            expected = b""
            self.on_request(request.offset)
            fault = self._faults.pop(0) if self._faults else ""
            if fault == "end":
                return
            if fault == "deaf":
                wait_for_the_end(call)
                return
            if fault == "break before":
                call.abort(grpc.StatusCode.UNAVAILABLE, "going away")
            if fault.startswith("call "):
                call.abort(grpc.StatusCode[fault.removeprefix("call ")], "as the test says")
            if fault.isupper():
                yield _refusal(fault, "as the test says")
                continue
            yield self._take(request, call, fault)

    def _take(
        self, request: types.AppendRowsRequest, call: grpc.ServicerContext, fault: str
    ) -> types.AppendRowsResponse:
        if request.offset < len(self.offsets):
            return _refusal("ALREADY_EXISTS", "is there")
        if request.offset > len(self.offsets):
            return _refusal("OUT_OF_RANGE", "leaves a hole")
        self.offsets.append(request.offset)
        if fault == "break after":
            call.abort(grpc.StatusCode.UNAVAILABLE, "going away")
        if fault == "silence":
            wait_for_the_end(call)
        return types.AppendRowsResponse(append_result={"offset": request.offset})


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "pauses", lambda: itertools.repeat(0.01))


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(["break before"], id="the first call breaks"),
        pytest.param(["break after"], id="its reply is lost"),
        pytest.param(["", "", "break before"], id="a later call breaks"),
        pytest.param(["", "", "break after", "break after"], id="twice"),
        pytest.param(["", "ABORTED"], id="told to try again"),
        pytest.param(["INTERNAL", "", "", "UNAVAILABLE"], id="told to try again, twice"),
        pytest.param(["", "RESOURCE_EXHAUSTED", "UNKNOWN", "CANCELLED"], id="and again"),
        pytest.param(["", "call RESOURCE_EXHAUSTED", "call INTERNAL"], id="told so by the end of the call"),
        pytest.param(["", "", "OUT_OF_RANGE"], id="a row before was lost"),
        pytest.param(["call NOT_FOUND", "call NOT_FOUND"], id="the stream is known a little later"),
        pytest.param(["NOT_FOUND"], id="told so in a reply"),
        pytest.param(["", "end"], id="the call ends as if all were said"),
        pytest.param(["", "", "silence"], id="a reply does not come"),
        pytest.param(["deaf", "deaf"], id="two calls are not heard"),
    ],
)
def test_every_row_arrives_once_and_in_order(faults: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "_SILENCE_SECONDS", 0.5)
    server = Server(*faults)
    before = {*threading.enumerate()}

    with server.running() as client:
        with _open(client) as stream:
            _send(stream, 20)
        left = _threads_since(before)

    assert server.offsets == list(range(20))
    assert server.calls > 1
    assert server.routes == {f"write_stream={STREAM}"}
    assert all(server.described)
    assert left == []


def test_a_call_that_ends_while_nothing_is_sent_is_followed_by_another() -> None:
    server = Server()

    with server.running() as client, _open(client) as stream:
        for number in range(3):
            stream.append(rows=1, data=_data(_orders(number)))
            stream.finalize()
            server._faults = ["break before"]

    assert server.offsets == [0, 1, 2]


def test_a_call_that_has_lasted_its_time_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append_call, "_LIFE_SECONDS", 0.3)
    server = Server("", "silence")

    with server.running() as client, _open(client) as stream:
        _send(stream, 20)

    assert server.offsets == list(range(20))


def test_a_server_that_says_nothing_is_asked_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "UNACKNOWLEDGED_SECONDS", 2.0)
    monkeypatch.setattr(write_stream, "_SILENCE_SECONDS", 0.1)
    server = Server(*["deaf"] * 100)

    with server.running() as client, _open(client) as stream:
        stream.append(rows=1, data=_data(_orders(1)))
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    assert caught.value.problem == "no acknowledgement within 2 s: DEADLINE_EXCEEDED: no reply for 0 s."
    assert caught.value.remedy == NOTHING_VISIBLE
    assert server.calls > 2
    assert {*server.asked} == {0}


def test_a_service_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "UNACKNOWLEDGED_SECONDS", 0.5)
    server = Server(*["break before"] * 1000)

    with server.running() as client, _open(client) as stream:
        stream.append(rows=1, data=_data(_orders(1)))
        with pytest.raises(WriteError, match=r"^order: no acknowledgement within 0 s: UNAVAILABLE: going away\.\n"):
            stream.finalize()


def test_a_stream_that_stays_unknown_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_stream, "_NOT_FOUND_SECONDS", 0.5)
    server = Server(*["call NOT_FOUND"] * 1000)

    with server.running() as client, _open(client) as stream:
        stream.append(rows=1, data=_data(_orders(1)))
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    assert caught.value.problem == "BigQuery refused the rows: NOT_FOUND: as the test says."
    assert server.calls > 2


def test_a_hole_that_stays_is_given_up_at_the_fifth_time() -> None:
    server = Server("", *["OUT_OF_RANGE"] * 1000)

    with server.running() as client, _open(client) as stream:
        _append(stream, 3)
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    assert caught.value.problem == (
        "BigQuery misses rows before row 2 of the unit, also when they are sent for the 5th time: "
        "OUT_OF_RANGE: as the test says."
    )
    assert server.calls == 5
    assert server.offsets == [0]


@pytest.mark.parametrize("faults", [(), ("UNAVAILABLE",), ("call UNAVAILABLE",)], ids=["none", "reply", "call"])
def test_no_call_is_left_to_the_garbage_collector(faults: tuple[str, ...]) -> None:
    """gRPC's calls take a lock when they are freed. At the interpreter's end one of its threads may have died with it,
    and a process that has done everything never ends.
    """
    server = Server(*faults)

    gc.disable()
    try:
        before = _calls()
        with server.running() as client, _open(client) as stream:
            stream.append(rows=1, data=_data(_orders(1)))
            stream.finalize()
        del stream
        assert _calls() - before == set()
    finally:
        gc.enable()


@pytest.mark.parametrize("fault", ["PERMISSION_DENIED", "call PERMISSION_DENIED", "FAILED_PRECONDITION"])
def test_a_refusal_for_good_is_not_repeated(fault: str) -> None:
    server = Server("", fault)

    with server.running() as client, _open(client) as stream:
        stream.append(rows=1, data=_data(_orders(1)))
        stream.append(rows=1, data=_data(_orders(2)))
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    code = fault.removeprefix("call ")
    assert caught.value.problem == f"BigQuery refused the rows: {code}: as the test says."
    assert server.calls == 1


def test_an_append_tells_of_the_refusal_of_the_one_before() -> None:
    server = Server("call PERMISSION_DENIED")

    with server.running() as client, _open(client) as stream:
        _append(stream, 1)
        for thread in threading.enumerate():
            if STREAM in thread.name:
                thread.join(10)  # ends with the call
        with pytest.raises(WriteError, match="PERMISSION_DENIED"):
            _append(stream, 1)


def test_the_first_refused_rows_are_named_by_their_place_in_the_unit() -> None:
    def append(requests: Iterator[types.AppendRowsRequest], _: grpc.ServicerContext) -> Iterator[object]:
        yield types.AppendRowsResponse(append_result={"offset": next(requests).offset})
        next(requests)
        errors = [types.RowError(index=index, message=f"no {index}") for index in (0, 3, 4, 5)]
        error = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="Errors found")
        yield types.AppendRowsResponse(error=error, row_errors=errors)

    handlers = {"CreateWriteStream": lambda *_: types.WriteStream(name=STREAM), "AppendRows": append}
    with serving(**handlers) as client, _open(client) as stream:
        stream.append(rows=1000, data=_data(_orders(1)))
        stream.append(rows=6, data=_data(_orders(2)))
        with pytest.raises(WriteError) as caught:
            stream.finalize()

    assert caught.value.problem == (
        "BigQuery refused the rows: INVALID_ARGUMENT: Errors found; row 1,001 of the unit: no 0; "
        "row 1,004 of the unit: no 3; row 1,005 of the unit: no 4."
    )


class TestOpening:
    def test_goes_on_until_the_table_is_known(self) -> None:
        server = Server(opening=["NOT_FOUND", "UNAVAILABLE"])

        with server.running() as client, _open(client) as stream:
            assert stream.name == STREAM

    def test_is_refused_at_once_for_good(self) -> None:
        server = Server(opening=["PERMISSION_DENIED"])

        with server.running() as client, pytest.raises(WriteError) as caught:
            _open(client)

        assert caught.value.problem == "cannot open a write stream: PERMISSION_DENIED: as the test says."

    def test_a_port_that_refuses_connections(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("exporter.write_stream.RETRY", RETRY.with_timeout(0.5))
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            with (
                client_of(f"127.0.0.1:{bound.getsockname()[1]}") as client,
                pytest.raises(WriteError, match=r"^order: cannot open a write stream: .*onnect") as caught,
            ):
                _open(client)

        assert caught.value.remedy == NOTHING_VISIBLE


class TestFinalizing:
    def test_goes_on_through_what_passes(self) -> None:
        server = Server(finalizing=["UNAVAILABLE", "NOT_FOUND"])

        with server.running() as client, _open(client) as stream:
            stream.append(rows=1, data=_data(_orders(1)))
            stream.finalize()

        assert server.offsets == [0]

    def test_is_refused_for_good(self) -> None:
        server = Server(finalizing=["FAILED_PRECONDITION"])

        with server.running() as client, _open(client) as stream, pytest.raises(WriteError) as caught:
            stream.finalize()

        assert caught.value.problem == "cannot finalize the write stream: FAILED_PRECONDITION: as the test says."

    def test_a_server_that_counts_other_rows(self) -> None:
        server = Server()

        with server.running() as client, _open(client) as stream:
            stream.append(rows=2, data=_data(_orders(1, 2)))
            with pytest.raises(WriteError) as caught:
                stream.finalize()

        assert caught.value.problem == "BigQuery counts 1 rows in the write stream, 2 were sent."


class TestLeaving:
    """Leaves no thread and no call, in whatever state."""

    @pytest.mark.parametrize(
        ("faults", "appends", "size"),
        [
            pytest.param([], 0, 1, id="before an append"),
            pytest.param([], 5, 1, id="before the replies are read"),
            pytest.param(["deaf"], 1, 1, id="a server that never answers"),
            pytest.param(["", "silence"], 5, 1, id="a server that answers no more"),
            pytest.param(["deaf"], 8, 2_000_000, id="a server that reads no more"),
            pytest.param(["break before"] * 100, 5, 1, id="a call that broke"),
            pytest.param(["PERMISSION_DENIED"], 5, 1, id="a refusal that was not read"),
        ],
    )
    def test_without_finalize(self, faults: list[str], appends: int, size: int) -> None:
        server = Server(*faults)
        before = {*threading.enumerate()}

        with server.running() as client:
            with _open(client) as stream:
                for _ in range(appends):
                    stream.append(rows=1, data=bytes(size))
            left = _threads_since(before)

        assert left == []

    def test_a_server_that_accepts_connections_and_says_nothing(self) -> None:
        """The call has not even begun: the transport waits for the server's first words."""
        server = Server()
        before = {*threading.enumerate()}

        with socket.create_server(("127.0.0.1", 0)) as mute, server.running() as opening:
            stream = _open(opening)
            with client_of(f"127.0.0.1:{mute.getsockname()[1]}") as stream._client:
                with stream:
                    stream.append(rows=1, data=_data(_orders(1)))
                left = _threads_since(before)

        assert left == []

    @pytest.mark.parametrize("offset", range(8))
    def test_by_a_signal(self, offset: int) -> None:
        """It may arrive anywhere in an append, at the latest while the first reply that does not come is waited for."""
        main = threading.main_thread().ident
        assert main is not None

        class Interrupted(BaseException):
            pass

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            raise Interrupted

        server = Server(*[""] * offset, *["deaf"] * 100)
        server.on_request = lambda asked: signal.pthread_kill(main, signal.SIGUSR1) if asked == offset else None
        usual = signal.signal(signal.SIGUSR1, interrupt)
        before = {*threading.enumerate()}
        try:
            with server.running() as client:
                with pytest.raises(Interrupted), _open(client) as stream:
                    _send(stream, 20)
                left = _threads_since(before)
        finally:
            signal.signal(signal.SIGUSR1, usual)

        assert left == []


def test_a_signal_never_finds_the_main_thread_inside_grpc() -> None:
    """Raising there could leave a lock of gRPC's taken, and the process waiting for it at its end."""
    main = threading.main_thread().ident
    assert main is not None
    found: list[set[str]] = []
    handled = threading.Event()

    def look(_number: int, frame: FrameType | None) -> None:
        found.append({at.f_globals["__name__"].partition(".")[0] for at, _ in traceback.walk_stack(frame)})
        handled.set()

    def interrupt(_offset: int) -> None:
        handled.clear()
        signal.pthread_kill(main, signal.SIGUSR1)
        assert handled.wait(10)

    server = Server("", "", "break before")
    server.on_request = interrupt
    usual = signal.signal(signal.SIGUSR1, look)
    try:
        with server.running() as client, _open(client) as stream:
            _send(stream, 20)
    finally:
        signal.signal(signal.SIGUSR1, usual)

    assert len(found) == 2 + len(server.asked)
    assert [modules for modules in found if "grpc" in modules] == []


def _calls() -> set[int]:
    # By type(): isinstance() would wake lazy objects of others.
    kinds = ((id(one), type(one)) for one in gc.get_objects())
    return {number for number, kind in kinds if issubclass(kind, grpc.Call) and issubclass(kind, grpc.RpcError)}


def _threads_since(before: set[threading.Thread]) -> list[str]:
    """Those that do not end. gRPC's end a moment after the call."""
    # One without a number never began: its start was interrupted.
    left = [thread for thread in {*threading.enumerate()} - before if thread.ident and not _serves(thread)]
    for thread in left:
        thread.join(10)
    return [thread.name for thread in left if thread.is_alive()]


def _serves(thread: threading.Thread) -> bool:
    return thread.name.startswith(THREADS) or "(_serve)" in thread.name


def _refusal(code: str, message: str) -> types.AppendRowsResponse:
    return types.AppendRowsResponse(error=status_pb2.Status(code=code_pb2.Code.Value(code), message=message))


class _Stream(WriteStream, AbstractContextManager["_Stream"]):
    def __exit__(self, *_exc_info: object) -> None:
        self.cancel()
        self.join(until=time.monotonic() + CLOSE_SECONDS)


def _open(client: BigQueryWriteClient, table_path: str = "projects/p/datasets/d/tables/t") -> _Stream:
    return _Stream(client, table_path=table_path, schema=SCHEMA, location="order", replied=lambda: None)


def _send(stream: WriteStream, count: int) -> None:
    _append(stream, count)
    stream.finalize()


def _append(stream: WriteStream, count: int) -> None:
    for number in range(count):
        stream.take_what_is_there()
        stream.append(rows=1, data=_data(_orders(number)))


def _orders(*numbers: int | None) -> pa.RecordBatch:
    timestamps = [instant("2025-01-01")] * len(numbers)
    return batch(timestamp=timestamps, number=list(numbers))


def _data(orders: pa.RecordBatch) -> bytes:
    return bytes(orders.serialize())
