"""A commit against the emulator, and against a server of this file that answers as a test says."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from google.cloud.bigquery_storage_v1 import types

from emulator.clients import batch
from exporter import WriteError, commits
from exporter.commits import commit
from exporter.errors import StreamsGoneError
from exporter_cases.shop import OrderExtractor, instant
from exporter_cases.write_server import serving, wait_for_the_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

    from conftest import MakeWarehouse

TABLE = "projects/p/datasets/d/tables/t"
STREAMS = [f"{TABLE}/streams/a", f"{TABLE}/streams/b"]
COMMITTED = types.BatchCommitWriteStreamsResponse(commit_time=instant("2025-01-01"))
REMEDY = "Run the command again: no row is lost, or there twice."


class Server:
    """Answers a commit with a reply, a gRPC code or nothing at all, one after the other and then always the last."""

    def __init__(self, *answers: types.BatchCommitWriteStreamsResponse | str) -> None:
        self._answers = [*answers]
        self.asked: list[tuple[str, list[str]]] = []
        self.committed: set[str] = set()
        """What GetWriteStream says of it."""

    @contextmanager
    def running(self) -> Iterator[BigQueryWriteClient]:
        with serving(BatchCommitWriteStreams=self._commit, GetWriteStream=self._get) as client:
            yield client

    def _commit(
        self, request: types.BatchCommitWriteStreamsRequest, call: grpc.ServicerContext
    ) -> types.BatchCommitWriteStreamsResponse:
        self.asked.append((request.parent, list(request.write_streams)))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer == "SILENCE":
            wait_for_the_end(call)
        if not isinstance(answer, str):
            return answer
        call.abort(grpc.StatusCode[answer], "as the test says")
        raise AssertionError(answer)  # abort has raised

    def _get(self, request: types.GetWriteStreamRequest, call: grpc.ServicerContext) -> types.WriteStream:
        if not self.committed:
            call.abort(grpc.StatusCode.NOT_FOUND, "as the test says")
        time = instant("2025-01-01") if request.name in self.committed else None
        return types.WriteStream(name=request.name, commit_time=time)


def refusal(*codes: str) -> types.BatchCommitWriteStreamsResponse:
    errors = [types.StorageError(code=code, error_message=f"{code.lower()} of {i}") for i, code in enumerate(codes)]
    return types.BatchCommitWriteStreamsResponse(stream_errors=errors)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "NO_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(commits, "REFUSED_SECONDS", 0.5)
    monkeypatch.setattr(commits, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(commits, "pauses", lambda _: itertools.repeat(0.01))


IN_PART = refusal("STREAM_ALREADY_COMMITTED", "INVALID_STREAM_STATE")


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([COMMITTED], id="a commit time"),
        pytest.param([refusal(*["STREAM_ALREADY_COMMITTED"] * 2)], id="already committed"),
        pytest.param(["UNAVAILABLE", "INTERNAL", "ABORTED", "UNKNOWN", "DEADLINE_EXCEEDED", COMMITTED], id="errors"),
        pytest.param(["RESOURCE_EXHAUSTED", "CANCELLED", COMMITTED], id="more errors"),
        pytest.param(["UNAVAILABLE", refusal(*["STREAM_ALREADY_COMMITTED"] * 2)], id="a lost reply"),
        pytest.param(["SILENCE", refusal(*["STREAM_ALREADY_COMMITTED"] * 2)], id="a reply that does not come"),
        pytest.param(["NOT_FOUND", "FAILED_PRECONDITION", COMMITTED], id="known a little later"),
        pytest.param([refusal("INVALID_STREAM_STATE"), IN_PART, COMMITTED], id="another run just commits"),
        pytest.param([refusal(*["STREAM_NOT_FOUND"] * 2), "UNAVAILABLE", COMMITTED], id="unknown, then an error"),
        pytest.param([refusal("TABLE_NOT_FOUND"), COMMITTED], id="a table known a little later"),
    ],
)
def test_an_answer_that_ends_in_success(answers: list[types.BatchCommitWriteStreamsResponse | str]) -> None:
    server = Server(*answers)

    with server.running() as client:
        _commit(client)

    assert server.asked == [(TABLE, STREAMS)] * len(answers)


@pytest.mark.parametrize("answer", [refusal("INVALID_STREAM_STATE"), IN_PART, "NOT_FOUND", "FAILED_PRECONDITION"])
def test_a_refusal_while_all_streams_have_their_commit_time_is_success(
    answer: types.BatchCommitWriteStreamsResponse | str,
) -> None:
    server = Server(answer)
    server.committed = {*STREAMS}

    with server.running() as client:
        _commit(client)

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            refusal("INVALID_STREAM_STATE"), "INVALID_STREAM_STATE: invalid_stream_state of 0", id="wrong state"
        ),
        pytest.param(
            refusal("STREAM_NOT_FOUND", "STREAM_NOT_FOUND"),
            "STREAM_NOT_FOUND: stream_not_found of 0; STREAM_NOT_FOUND: stream_not_found of 1",
            id="unknown",
        ),
        pytest.param(
            IN_PART,
            "STREAM_ALREADY_COMMITTED: stream_already_committed of 0; INVALID_STREAM_STATE: invalid_stream_state of 1",
            id="committed in part",
        ),
        pytest.param(
            refusal("STREAM_ALREADY_COMMITTED"),
            "STREAM_ALREADY_COMMITTED: stream_already_committed of 0",
            id="one of two committed",
        ),
        pytest.param("NOT_FOUND", "NOT_FOUND: as the test says", id="NOT_FOUND"),
        pytest.param("FAILED_PRECONDITION", "FAILED_PRECONDITION: as the test says", id="FAILED_PRECONDITION"),
        pytest.param("INVALID_ARGUMENT", "INVALID_ARGUMENT: as the test says", id="INVALID_ARGUMENT"),
        pytest.param(
            refusal("INVALID_STREAM_STATE", "SCHEMA_MISMATCH_EXTRA_FIELDS"),
            "INVALID_STREAM_STATE: invalid_stream_state of 0; "
            "SCHEMA_MISMATCH_EXTRA_FIELDS: schema_mismatch_extra_fields of 1",
            id="two reasons",
        ),
        pytest.param(
            types.BatchCommitWriteStreamsResponse(), "BigQuery answered without a commit time", id="no commit time"
        ),
    ],
)
def test_a_refusal_that_stays_is_told_apart(answer: types.BatchCommitWriteStreamsResponse | str, words: str) -> None:
    server = Server(answer)
    server.committed = {STREAMS[0]}

    with server.running() as client, pytest.raises(StreamsGoneError) as caught:
        _commit(client)

    assert (caught.value.location, caught.value.problem, caught.value.remedy) == (
        "order",
        f"BigQuery does not commit its write streams: {words}.",
        REMEDY,
    )
    assert len(server.asked) > 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("PERMISSION_DENIED", "PERMISSION_DENIED: as the test says"),
        ("UNAUTHENTICATED", "UNAUTHENTICATED: as the test says"),
    ],
)
def test_no_access_is_an_error_at_once(answer: str, words: str) -> None:
    server = Server(answer)
    server.committed = {STREAMS[0]}

    with server.running() as client, pytest.raises(WriteError) as caught:
        _commit(client)

    assert type(caught.value) is WriteError
    assert caught.value.problem == f"BigQuery does not commit its write streams: {words}."
    assert len(server.asked) == 1


def test_a_service_that_stays_away_is_an_error_and_no_verdict() -> None:
    server = Server("UNAVAILABLE")

    with server.running() as client, pytest.raises(WriteError) as caught:
        _commit(client)

    assert type(caught.value) is WriteError
    assert caught.value.problem == "BigQuery does not commit its write streams: UNAVAILABLE: as the test says."
    assert len(server.asked) > 2


def test_four_commits_of_one_stream_at_once_all_succeed(make_warehouse: MakeWarehouse) -> None:
    warehouse = make_warehouse(OrderExtractor)
    table, client = f"{warehouse.dataset}.order", warehouse.clients.write
    orders = batch(timestamp=[instant("2025-01-01")] * 3, number=[1, 2, 3])
    stream = warehouse.clients.finalized_stream(table, orders)

    with ThreadPoolExecutor(4) as threads:
        done = threads.map(
            lambda _: commit(client, table_path=warehouse.clients.parent(table), streams=[stream], location="order"),
            range(4),
        )

        assert list(done) == [None] * 4
    assert warehouse.rows("order", "number") == [(1,), (2,), (3,)]


def _commit(client: BigQueryWriteClient) -> None:
    commit(client, table_path=TABLE, streams=STREAMS, location="order")
