"""A unit in several streams while BigQuery answers badly: all rows once, or none, whichever stream it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter import commits, payloads, write_streams
from exporter_cases import shop
from exporter_cases.shop import order
from faults.endings import (
    DAYS,
    EXPORT,
    NOTHING_NEW,
    SAID,
    case,
    ended,
    events,
    failed,
    numbers,
    recovered,
    threads_left,
)

if TYPE_CHECKING:
    from conftest import RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

PREPARED, COMMITTED, ABANDONED = (("prepared", 0, 3), ("committed", 0, 3), ("abandoned", 0, 3))
VISIBLE = "Nothing of it is visible. Run the command again: it starts with the same day."


@pytest.fixture(autouse=True)
def streams_of_a_row(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order a day, and a request and a stream for each."""
    del quick
    monkeypatch.setattr(payloads, "TARGET_BYTES", 1)
    monkeypatch.setattr(write_streams, "STREAM_BYTES", 1)


@pytest.fixture
def refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that is refused is not tried again."""
    monkeypatch.setattr(commits, "REFUSED_SECONDS", 0)


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("open", "UNAVAILABLE", nth=2),
        case("open", "reply lost", nth=3),
        case("append", "break after", nth=2),
        case("append", "break before", nth=3),
        case("append", "OUT_OF_RANGE", nth=2),
        case("append", "ALREADY_EXISTS", nth=3),
        case("finalize", "reply lost", nth=2),
        case("commit", "reply lost"),
        case("commit", "reply lost", code="NOT_FOUND"),
        case("commit", "STREAM_NOT_FOUND", times=2),
        case("commit", "INVALID_STREAM_STATE", times=2),
        case("commit", "no commit time"),
    ],
)
def test_what_may_pass_passes(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    server.fail(step, **fault)

    result = run_command(*EXPORT)

    assert result == ended("committed")
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])
    assert len(streams(orders)) == 3


@pytest.mark.parametrize(
    ("step", "fault", "problem"),
    [
        case("open", "PERMISSION_DENIED", f"cannot open a write stream: PERMISSION_DENIED: {SAID}.", nth=3),
        case(
            "append",
            "row errors",
            f"BigQuery refused the rows: INVALID_ARGUMENT: {SAID}; row {{}} of the unit: {SAID}.",
            nth=2,
            rows=0,
        ),
        case("append", "PERMISSION_DENIED", f"BigQuery refused the rows: PERMISSION_DENIED: {SAID}.", nth=3),
        case("finalize", "PERMISSION_DENIED", f"cannot finalize the write stream: PERMISSION_DENIED: {SAID}.", nth=2),
        case("finalize", "other count", "BigQuery counts 2 rows in the write stream, 1 were sent.", nth=3),
    ],
)
def test_what_fails_in_one_leaves_nothing_of_any(  # noqa: PLR0913, PLR0917 - a case
    orders: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    problem: str,
) -> None:
    server.fail(step, **fault)

    refused = run_command(*EXPORT)
    before = numbers(server), orders.ledger("*"), threads_left()
    again = run_command(*EXPORT)

    # The streams' requests arrive in any order.
    assert refused in [
        failed(f"{orders.name('order')}, from {DAYS[0]} on: {problem.format(row)}\n  {VISIBLE}") for row in (1, 2, 3)
    ]
    assert before == ([], [], [])
    assert again == ended("committed")
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])


@pytest.mark.usefixtures("refused_at_once")
class TestOneHasExpired:
    """BigQuery has forgotten the first stream, and still has the others, which are two hours younger."""

    @pytest.fixture
    def younger(self, server: FaultServer) -> None:
        server.fail("open", nth=2, with_="as usual", do=lambda: server.clock.advance(hours=2))

    @pytest.mark.usefixtures("younger")
    def test_before_the_commit(self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer) -> None:
        """None is committed: the table waits, and then all is done again."""
        server.fail("commit", with_="PERMISSION_DENIED")
        run_command(*EXPORT)
        server.clock.advance(hours=23)

        waiting = run_command(*EXPORT)
        before = numbers(server), events(orders), threads_left()
        server.clock.advance(hours=3)
        again = run_command(*EXPORT)

        first, *_ = streams(orders)
        assert f"its write streams: STREAM_NOT_FOUND: Stream not found. Entity: {first}.\n" in waiting.stderr
        assert "Until then the table waits." in waiting.stderr
        assert (waiting.stdout, waiting.exit_code) == ("", 1)
        assert before == ([], [PREPARED], [])
        assert again == (ended("abandoned", "committed")[0], "", 0)
        assert numbers(server) == [1, 2, 3]
        assert events(orders) == [PREPARED, ABANDONED, ("prepared", 1, 3), ("committed", 1, 3)]

    @pytest.mark.usefixtures("younger")
    def test_after_a_commit_that_nobody_marked(
        self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        """What is said of the streams differs; the rows decide."""
        server.fail("commit", with_="reply lost", code="PERMISSION_DENIED")
        run_command(*EXPORT)
        server.clock.advance(hours=23)

        result = run_command(*EXPORT)

        assert result == recovered()
        assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])
        assert run_command(*EXPORT) == (NOTHING_NEW, "", 0)


def test_what_another_run_has_left_is_committed_together(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
) -> None:
    server.fail("commit", with_="PERMISSION_DENIED")
    run_command(*EXPORT)
    before = numbers(server)

    result = run_command(*EXPORT)

    assert (before, result) == ([], recovered())
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])
    assert server.script.count("open") == 3


@pytest.mark.parametrize(
    ("step", "fault"),
    [case("append", "break after", nth=2), case("commit", "reply lost"), case("finalize", "UNAVAILABLE", nth=2)],
)
@pytest.mark.usefixtures("orders")
def test_days_are_replaced_in_several_streams(
    run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    run_command(*EXPORT)
    shop.orders.clear()
    for day, number in zip(DAYS, (10, 20, 30), strict=True):
        shop.orders.put(day, order(day, number), order(day, number + 1))
    server.fail(step, **fault)

    result = run_command("smolqwery_extract", "--replace", "--from", DAYS[0], "--to", DAYS[-1])

    assert result == ended("replaced", rows="6 rows")
    assert (numbers(server), server.script.count("open")) == ([10, 11, 20, 21, 30, 31], 6)


def streams(warehouse: WarehouseCopy) -> list[str]:
    """Of the first unit that was prepared, in the order in which they were opened."""
    ((names,),) = warehouse.ledger("`streams`", "WHERE `event` = 'prepared' ORDER BY `recorded_at`, `day` LIMIT 1")
    return list(names)
