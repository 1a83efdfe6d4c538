"""A unit whose streams BigQuery does not know any more: the rows that are there, and BigQuery's clock, decide."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from exporter import commits, unit
from exporter_cases import shop
from exporter_cases.interleaving import once
from exporter_cases.shop import OrderExtractor
from faults.endings import (
    DAYS,
    EXPORT,
    NOTHING_NEW,
    SAID,
    ended,
    events,
    failed,
    numbers,
    recovered,
    stock,
    threads_left,
)
from faults.moments import REST, Moment, another_run
from faults.script import FOREVER

if TYPE_CHECKING:
    from datetime import datetime

    from conftest import Ended, MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

PREPARED, COMMITTED, ABANDONED = (("prepared", 0, 3), ("committed", 0, 3), ("abandoned", 0, 3))
PREPARED_AGAIN, COMMITTED_AGAIN = ("prepared", 1, 3), ("committed", 1, 3)
REDONE = (ended("abandoned", "committed")[0], "", 0)
SAFE_AFTER = timedelta(hours=25)


@pytest.fixture(autouse=True)
def refused_at_once(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that is refused is not tried again: test_commit_faults.py has what may pass."""
    del quick
    monkeypatch.setattr(commits, "REFUSED_SECONDS", 0)


@pytest.fixture
def prepared(orders: WarehouseCopy, run_command: RunCommand, server: FaultServer) -> WarehouseCopy:
    """Three days of which nobody knows whether they are committed. They are not."""
    server.fail("commit", with_="PERMISSION_DENIED")
    run_command(*EXPORT)
    return orders


@pytest.fixture
def applied(orders: WarehouseCopy, run_command: RunCommand, server: FaultServer) -> WarehouseCopy:
    """Three days of which nobody knows whether they are committed. They are."""
    server.fail("commit", with_="reply lost", code="PERMISSION_DENIED")
    run_command(*EXPORT)
    return orders


class TestStreamsAreGone:
    @pytest.mark.parametrize("hours", [0, 24.5, 1000])
    def test_and_the_rows_are_there(
        self, applied: WarehouseCopy, run_command: RunCommand, server: FaultServer, hours: float
    ) -> None:
        server.clock.advance(hours=hours)
        server.streams.forget()

        result = run_command(*EXPORT)

        assert result == recovered()
        assert (numbers(server), events(applied)) == ([1, 2, 3], [PREPARED, COMMITTED])

    @pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=24, minutes=59)])
    def test_and_the_rows_are_not_and_it_is_young(
        self, prepared: WarehouseCopy, run_command: RunCommand, server: FaultServer, age: timedelta
    ) -> None:
        """It waits, and says since when and until when."""
        server.clock.set(prepared_at(prepared) + age)
        server.streams.forget()

        result = run_command(*EXPORT)

        assert result == failed(waits(prepared, not_found(prepared)))
        assert (numbers(server), events(prepared), threads_left()) == ([], [PREPARED], [])

    @pytest.mark.parametrize("age", [SAFE_AFTER, timedelta(days=100)])
    def test_and_the_rows_are_not_and_nobody_can_commit_them_any_more(
        self, prepared: WarehouseCopy, run_command: RunCommand, server: FaultServer, age: timedelta
    ) -> None:
        server.clock.set(prepared_at(prepared) + age)

        result = run_command(*EXPORT)
        again = run_command(*EXPORT)

        assert result == REDONE
        assert again == (NOTHING_NEW, "", 0)
        assert numbers(server) == [1, 2, 3]
        assert events(prepared) == [PREPARED, ABANDONED, PREPARED_AGAIN, COMMITTED_AGAIN]

    @pytest.mark.parametrize("hours", [1, 26])
    def test_and_a_part_of_the_rows_is_there(
        self, applied: WarehouseCopy, run_command: RunCommand, server: FaultServer, hours: float
    ) -> None:
        server.clock.advance(hours=hours)
        server.streams.forget()
        applied.sql(f"DELETE FROM `{applied.name('order')}` WHERE `number` = 2")

        result = run_command(*EXPORT)

        assert result == failed(
            f"{applied.name('order')}, 2025-01-01 to 2025-01-03: BigQuery does not commit its write streams: "
            f"{not_found(applied)}; the table has 2 of its 3 rows.\n"
            "  Something else writes to or deletes from this table. Export into a new table (a new dataclass name "
            "gives one), or bring the rows of these days to none or all."
        )
        assert (numbers(server), events(applied), threads_left()) == ([1, 3], [PREPARED], [])

    def test_a_day_within_24_hours_is_committed_as_if_nothing_had_been(
        self, prepared: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        server.clock.set(prepared_at(prepared) + timedelta(hours=23, minutes=59))

        assert run_command(*EXPORT) == recovered()
        assert (numbers(server), events(prepared)) == ([1, 2, 3], [PREPARED, COMMITTED])


class TestTheRedo:
    def test_has_the_rows_that_there_are_now(
        self, prepared: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        shop.orders.put("2025-01-02", shop.order("2025-01-02", 22))
        server.clock.advance(hours=26)

        result = run_command(*EXPORT)

        assert result == (
            ended("abandoned")[0] + ended("committed", rows="4 rows")[0],
            "",
            0,
        )
        assert numbers(server) == [1, 2, 3, 22]
        assert events(prepared) == [PREPARED, ABANDONED, PREPARED_AGAIN, COMMITTED_AGAIN]

    def test_may_have_smaller_units(
        self,
        prepared: WarehouseCopy,
        run_command: RunCommand,
        server: FaultServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        server.clock.advance(hours=26)
        monkeypatch.setattr(unit, "UNIT_ROWS", 1)

        result = run_command(*EXPORT)

        by_day = [ended("committed", first=day, last=day, rows="1 row")[0] for day in DAYS]
        assert result == (ended("abandoned")[0] + "".join(by_day), "", 0)
        assert run_command(*EXPORT) == (NOTHING_NEW, "", 0)
        assert numbers(server) == [1, 2, 3]
        of_a_day = [("prepared", 1, 1), ("committed", 1, 1)]
        assert events(prepared) == [PREPARED, ABANDONED, *of_a_day, *of_a_day, *of_a_day]

    def test_has_no_day_that_the_unit_had_not(
        self,
        orders: WarehouseCopy,
        run_command: RunCommand,
        server: FaultServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as small:
            small.setattr(unit, "UNIT_ROWS", 1)
            server.fail("commit", with_="PERMISSION_DENIED")
            run_command(*EXPORT)
        server.clock.advance(hours=26)

        result = run_command(*EXPORT)

        first, rest = {"first": DAYS[0], "last": DAYS[0], "rows": "1 row"}, {"first": DAYS[1], "rows": "2 rows"}
        assert result == (ended("abandoned", "committed", **first)[0] + ended("committed", **rest)[0], "", 0)
        assert numbers(server) == [1, 2, 3]
        assert events(orders) == [
            *[("prepared", 0, 1), ("abandoned", 0, 1), ("prepared", 1, 1), ("committed", 1, 1)],
            *[("prepared", 0, 2), ("committed", 0, 2)],
        ]

    def test_can_be_in_doubt_and_abandoned_itself(
        self, prepared: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        server.clock.advance(hours=26)
        server.fail("commit", with_="PERMISSION_DENIED", nth=2)
        refused = run_command(*EXPORT)
        server.clock.advance(hours=26)

        result = run_command(*EXPORT)

        assert refused == failed(
            f"{prepared.name('order')}, 2025-01-01 to 2025-01-03: BigQuery does not commit its write streams: "
            f"PERMISSION_DENIED: {SAID}.\n  Run the command again: no row is lost, or there twice.",
            stdout=ended("abandoned")[0],
        )
        assert result == REDONE
        assert numbers(server) == [1, 2, 3]
        assert events(prepared) == [
            *[PREPARED, ABANDONED, PREPARED_AGAIN, ("abandoned", 1, 3)],
            *[("prepared", 2, 3), ("committed", 2, 3)],
        ]


class TestAZombie:
    """Our run stands still for 26 hours, while another one does all that there is to do."""

    @pytest.mark.parametrize(
        ("step", "other", "ours", "written"),
        [
            ("ledger read", ended("committed"), (NOTHING_NEW, "", 0), [PREPARED, COMMITTED]),
            ("finalized", ended("committed"), ended("committed by another run"), [PREPARED, COMMITTED]),
            ("looked again", ended("committed"), ended("committed by another run"), [PREPARED, COMMITTED]),
            ("prepared", REDONE, ended("abandoned"), [PREPARED, ABANDONED, PREPARED_AGAIN, COMMITTED_AGAIN]),
            ("committed", recovered(), ended("committed"), [PREPARED, COMMITTED, COMMITTED]),
            ("marked", (NOTHING_NEW, "", 0), ended("committed"), [PREPARED, COMMITTED]),
        ],
    )
    def test_goes_on(  # noqa: PLR0913, PLR0917 - fixtures and a case
        self,
        orders: WarehouseCopy,
        run_command: RunCommand,
        server: FaultServer,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        other: tuple[str, str, int],
        ours: tuple[str, str, int],
        written: list[Any],
    ) -> None:
        others: list[Ended] = []

        def another() -> None:
            server.clock.advance(hours=26)
            others.append(run_command(*EXPORT))

        once(monkeypatch, step, another)

        result = run_command(*EXPORT)

        assert (others, result) == ([other], ours)
        assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], written, [])
        assert run_command(*EXPORT) == (NOTHING_NEW, "", 0)


class TestAtAnyMoment:
    """One test for each call that a run makes of BigQuery: something else happens just before it is applied."""

    def test_a_commit_of_another_run_never_leads_to_an_abandon(
        self, make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer
    ) -> None:
        """It comes in the last minute of 24 hours, and two hours pass with it: our run may have read the clock before
        or after, and counted the rows before or after.
        """
        for number in count(1):
            warehouse = in_doubt(make_faulty_warehouse, run_command, server)
            server.clock.set(prepared_at(warehouse) + timedelta(hours=23, minutes=59))
            faults = [server.fail(step, with_="NOT_FOUND", times=FOREVER) for step in ("commit", "get stream")]
            commit = partial(committed_late, server, streams(warehouse))
            moment = Moment(server, REST, number, commit)

            result = run_command(*EXPORT)
            moment.end()
            for fault in faults:
                fault.end()
            if not moment.is_reached:
                break
            again = run_command(*EXPORT)

            assert (result, again) in {
                (recovered(), (NOTHING_NEW, "", 0)),
                (failed(waits(warehouse, f"NOT_FOUND: {SAID}")), recovered()),
            }
            assert events(warehouse) == [PREPARED, COMMITTED]
            assert warehouse.rows("order", "`number`") == [(1,), (2,), (3,)]
        assert number > len(("the ledger", "the clock", "the rows", "the mark"))

    @pytest.mark.parametrize("hours", [0, 26])
    @pytest.mark.parametrize("begun", [False, True])
    def test_another_run_does_all_that_there_is_to_do(
        self,
        make_faulty_warehouse: MakeWarehouse,
        run_command: RunCommand,
        server: FaultServer,
        begun: bool,  # noqa: FBT001 - a case
        hours: float,
    ) -> None:
        """Of days that are open, or in doubt; BigQuery's clock stands still, or 26 hours pass before it."""
        others: list[str] = []
        make = (
            partial(in_doubt, make_faulty_warehouse, run_command, server)
            if begun
            else partial(opened, make_faulty_warehouse)
        )
        # What is in doubt is committed and marked without a job that has an id of its own.
        steps = [step for step in (*REST, "commit") if not begun or step != "insert job"]
        for number in count(1):
            warehouse = make()
            moment = Moment(server, steps, number, partial(pass_and_run, server, hours, others))

            result = run_command(*EXPORT)
            moment.end()
            if not moment.is_reached:
                break
            again = run_command(*EXPORT)

            assert (len(others), result[1:], again) == (number, ("", 0), (NOTHING_NEW, "", 0))
            assert warehouse.rows("order", "`number`") == [(1,), (2,), (3,)]
        assert number > len(("the ledger", "the commit", "the mark"))


def opened(make_faulty_warehouse: MakeWarehouse) -> WarehouseCopy:
    stock()
    return make_faulty_warehouse(OrderExtractor)


def in_doubt(make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer) -> WarehouseCopy:
    warehouse = opened(make_faulty_warehouse)
    server.fail("commit", with_="PERMISSION_DENIED")
    run_command(*EXPORT)
    return warehouse


def committed_late(server: FaultServer, names: list[str]) -> None:
    when, errors = server.streams.commit(names)
    assert (when is not None, errors) == (True, {})
    server.clock.advance(hours=2)


def pass_and_run(server: FaultServer, hours: float, others: list[str]) -> None:
    server.clock.advance(hours=hours)
    others.append(another_run(*EXPORT))


def prepared_at(warehouse: WarehouseCopy) -> datetime:
    instant: datetime
    ((instant,),) = warehouse.ledger("MAX(`recorded_at`)", "WHERE `event` = 'prepared'")
    return instant


def streams(warehouse: WarehouseCopy) -> list[str]:
    """Of what is prepared."""
    found = warehouse.ledger("DISTINCT `stream`", ", UNNEST(`streams`) AS `stream` WHERE `event` = 'prepared'")
    return [stream for (stream,) in found]


def waits(warehouse: WarehouseCopy, problem: str) -> str:
    since = prepared_at(warehouse)
    return (
        f"{warehouse.name('order')}, 2025-01-01 to 2025-01-03: prepared at {since:%Y-%m-%d %H:%M} UTC, and BigQuery "
        f"does not commit its write streams: {problem}.\n"
        f"  From {since + SAFE_AFTER:%Y-%m-%d %H:%M} UTC on nobody can commit them any more, and the next run exports "
        "these days again. Until then the table waits."
    )


def not_found(warehouse: WarehouseCopy) -> str:
    (stream,) = streams(warehouse)
    return f"STREAM_NOT_FOUND: Stream not found. Entity: {stream}"
