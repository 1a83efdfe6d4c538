"""`manage.py smolqwery_extract` while the commit goes wrong: all rows once, at the latest after the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter import commits
from faults.endings import (
    EXPORT,
    NOTHING_NEW,
    SAID,
    case,
    ended,
    events,
    failed,
    numbers,
    recovered,
    said,
    threads_left,
    unanswered,
)
from faults.moments import another_run
from faults.script import FOREVER

if TYPE_CHECKING:
    from conftest import RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

PREPARED, COMMITTED = ("prepared", 0, 3), ("committed", 0, 3)
AGAIN = "Run the command again: no row is lost, or there twice."
LATE = "DEADLINE_EXCEEDED: Deadline Exceeded"
STREAMS = "SELECT DISTINCT `stream` FROM `{ledger}`, UNNEST(`streams`) AS `stream` WHERE `event` = 'prepared'"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("commit", "reply lost"),
        case("commit", "reply lost", code="INTERNAL", times=2),
        case("commit", "reply lost", code="NOT_FOUND"),
        case("commit", "reply lost", code="FAILED_PRECONDITION"),
        case("commit", "UNAVAILABLE", times=4),
        case("commit", "INTERNAL", times=4),
        case("commit", "RESOURCE_EXHAUSTED", times=4),
        case("commit", "DEADLINE_EXCEEDED", times=4),
        case("commit", "NOT_FOUND", times=3),
        case("commit", "STREAM_NOT_FOUND", times=3),
        case("commit", "INVALID_STREAM_STATE", times=3),
        case("commit", "no commit time", times=3),
        case("commit", "held", seconds=0.3),
    ],
)
def test_what_may_pass_passes(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    server.fail(step, **fault)

    result = run_command(*EXPORT)

    assert result == ended("committed")
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])


@pytest.mark.usefixtures("brief_commits")
@pytest.mark.parametrize("word", ["silence", "late", "held"])
def test_a_reply_after_the_deadline_is_not_waited_for(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
) -> None:
    met = server.fail("commit", with_=word)

    result = run_command(*EXPORT)
    met.release()  # and what was held is applied now, a second time

    assert result == ended("committed")
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "problem", "visible"),
    [
        case("commit", "PERMISSION_DENIED", f"PERMISSION_DENIED: {SAID}", []),
        case("commit", "reply lost", f"PERMISSION_DENIED: {SAID}", [1, 2, 3], code="PERMISSION_DENIED"),
        case("commit", "UNAVAILABLE", f"UNAVAILABLE: {SAID}", [], times=FOREVER),
        case("commit", "reply lost", f"UNAVAILABLE: {SAID}", [1, 2, 3], times=FOREVER),
        case("commit", "silence", LATE, [], times=FOREVER),
        case("commit", "late", LATE, [1, 2, 3], times=FOREVER),
        case("commit", "held", LATE, [], times=FOREVER),
    ],
)
def test_what_does_not_pass_is_one_clear_error_and_the_next_run_commits(  # noqa: PLR0913, PLR0917 - a case
    orders: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    problem: str,
    visible: list[int],
) -> None:
    met = server.fail(step, **fault)

    first = run_command(*EXPORT)
    before = numbers(server), events(orders), threads_left()
    met.end()
    again = run_command(*EXPORT)

    unit = f"{orders.name('order')}, 2025-01-01 to 2025-01-03"
    assert first == failed(f"{unit}: BigQuery does not commit its write streams: {problem}.\n  {AGAIN}")
    assert before == (visible, [PREPARED], [])
    assert again == recovered()
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])


@pytest.mark.usefixtures("soon_refused")
@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("NOT_FOUND", f"NOT_FOUND: {SAID}"),
        ("INVALID_STREAM_STATE", "INVALID_STREAM_STATE: Invalid stream state. Entity: {stream}"),
        ("STREAM_NOT_FOUND", "STREAM_NOT_FOUND: Stream not found. Entity: {stream}"),
        ("no commit time", "BigQuery answered without a commit time"),
    ],
)
def test_a_refusal_that_stays_for_a_while_is_no_verdict(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str, problem: str
) -> None:
    met = server.fail("commit", with_=word, times=FOREVER)

    first = run_command(*EXPORT)
    before = numbers(server), events(orders), threads_left()
    met.end()
    again = run_command(*EXPORT)

    assert first == failed(still_in_doubt(orders, problem.format(stream=", ".join(streams(orders)))))
    assert before == ([], [PREPARED], [])
    assert again == recovered()
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])


def test_the_limits_of_a_commit_are_those_of_production(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
) -> None:
    """Nothing is patched here: ten seconds for a refusal, a minute for no answer."""
    met = server.fail("commit", with_="NOT_FOUND", times=FOREVER)

    first = run_command(*EXPORT)
    met.end()

    assert (commits.REFUSED_SECONDS, commits.NO_ANSWER_SECONDS) == (10, 60)
    assert first == failed(still_in_doubt(orders, f"NOT_FOUND: {SAID}"))
    assert run_command(*EXPORT) == recovered()


@pytest.mark.usefixtures("soon_refused")
class TestAnotherRunIsJustCommitting:
    def test_its_streams_are_in_the_wrong_state_until_it_has(
        self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        others: list[str] = []
        server.fail("commit", with_="INVALID_STREAM_STATE", times=3)
        server.fail("commit", with_="as usual", do=lambda: others.append(another_run(*EXPORT)))

        result = run_command(*EXPORT)

        assert (result, others) == (ended("committed"), [recovered()[0]])
        assert numbers(server) == [1, 2, 3]
        assert events(orders) == [PREPARED, COMMITTED, COMMITTED]

    def test_bigquery_goes_on_to_call_it_the_wrong_state(
        self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        """Who is told when the stream was committed has no more to ask."""
        server.fail("commit", with_="INVALID_STREAM_STATE", times=2)
        server.fail("commit", with_="INVALID_STREAM_STATE", do=lambda: server.streams.commit(streams(orders)))

        result = run_command(*EXPORT)

        assert result == ended("committed")
        assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])

    def test_nobody_can_tell_but_the_rows(
        self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        server.fail("get stream", with_="UNAVAILABLE", times=FOREVER)
        server.fail("commit", with_="INVALID_STREAM_STATE")
        refused = server.fail("commit", with_="INVALID_STREAM_STATE", times=FOREVER)
        refused.do = lambda: server.streams.commit(streams(orders))

        result = run_command(*EXPORT)

        assert result == ended("committed")
        assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])


@pytest.mark.usefixtures("quick")
class TestMarkingIsLost:
    """A unit that is committed, and not remembered so, costs a repeated commit."""

    @pytest.mark.parametrize(
        ("step", "fault"),
        [
            case("query", "HTTP 503", times=2),
            case("query", "HTTP 500", times=2),
            case("query", "HTTP 429"),
            case("query", "dropped"),
            case("query", "reply lost"),
            case("query", "runs long", polls=3),
        ],
    )
    def test_what_may_pass_passes(
        self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
    ) -> None:
        server.fail(step, statement="INSERT", **fault)

        result = run_command(*EXPORT)

        assert result == ended("committed")
        assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(
        ("step", "fault", "problem"),
        [
            case("query", "HTTP 403", f"BigQuery refuses access: POST {{queries}}: {SAID}."),
            case("query", "HTTP 503", f"{{rest}} does not answer: 503 POST {{queries}}: {SAID}.", times=FOREVER),
            case("query", "dropped", "{rest} does not answer: {closed}.", times=FOREVER),
            case("query", "fails", f"BigQuery refuses the call: POST {{queries}}: {SAID}."),
            case("query", "fails", f"{{rest}} does not answer: 503 POST {{queries}}: {SAID}.", reason="backendError"),
            case("query", "runs long", "{rest} does not answer: the job has not ended in time.", polls=1000),
            case("query", "silence", "{rest} does not answer: timed out.", times=FOREVER),
        ],
    )
    def test_the_next_run_commits_again(  # noqa: PLR0913, PLR0917 - a case
        self,
        orders: WarehouseCopy,
        run_command: RunCommand,
        server: FaultServer,
        step: str,
        fault: dict[str, Any],
        problem: str,
    ) -> None:
        met = server.fail(step, statement="INSERT", **fault)

        first = run_command(*EXPORT)
        before = numbers(server), events(orders), threads_left()
        met.end()
        again = run_command(*EXPORT)

        assert said(first, server) == failed(f"{orders.ledger_name}: {unanswered(problem)}")
        assert before == ([1, 2, 3], [PREPARED], [])
        assert again == recovered()
        assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("word", ["reply lost", "late"])
    def test_unless_only_the_reply_was_lost(
        self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
    ) -> None:
        met = server.fail("query", statement="INSERT", with_=word, times=FOREVER)

        first = run_command(*EXPORT)
        met.end()
        again = run_command(*EXPORT)

        problem = {"reply lost": "{rest} does not answer: {closed}.", "late": "{rest} does not answer: timed out."}[
            word
        ]
        assert said(first, server) == failed(f"{orders.ledger_name}: {unanswered(problem)}")
        assert again == (NOTHING_NEW, "", 0)
        assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])


def streams(warehouse: WarehouseCopy) -> list[str]:
    """Of what is prepared."""
    return [stream for (stream,) in warehouse.sql(STREAMS.format(ledger=warehouse.ledger_name))]


def still_in_doubt(warehouse: WarehouseCopy, problem: str) -> str:
    return (
        f"{warehouse.name('order')}, 2025-01-01 to 2025-01-03: prepared at 2025-03-01 12:00 UTC, and BigQuery does not "
        f"commit its write streams: {problem}.\n"
        "  From 2025-03-02 13:00 UTC on nobody can commit them any more, and the next run exports these days again. "
        "Until then the table waits."
    )
