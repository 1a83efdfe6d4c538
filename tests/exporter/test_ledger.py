"""The ledger: what a run writes into it, who wins it, and what the next run makes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError

from exporter import LedgerError, WarehouseError, WriteError, commits, doubt, jobs, ledger_inserts
from exporter.conf import load_settings
from exporter.entries import Unit
from exporter.jobs import Jobs, job_id
from exporter.ledger import Ledger
from exporter.recovery import commit_unit
from exporter.unit import Draft
from exporter.warehouse import Warehouse, path_of_table
from exporter_cases import shop
from exporter_cases.runs import run_on, source_of
from exporter_cases.shop import OrderExtractor, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

NEW_YORK = "America/New_York"


@pytest.fixture
def copy(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    """The tables of the shop's orders, with one order on each of the first three days."""
    warehouse = make_warehouse(OrderExtractor)
    for number in (1, 2, 3):
        shop.orders.put(f"2025-01-0{number}", order(f"2025-01-0{number}", number))
    return warehouse


@pytest.fixture
def warehouse(copy: WarehouseCopy) -> Warehouse:
    del copy
    return Warehouse(load_settings())


@pytest.fixture
def draw(warehouse: Warehouse, db: None) -> Callable[[str], Unit]:
    """A unit of January's first two days, read, sent and sealed under this run id, and not prepared."""
    del db

    def draw_unit(run_id: str) -> Unit:
        run, name = run_on(warehouse, load_settings(), run_id=run_id), warehouse.name("order")
        with Draft(run, source_of(OrderExtractor(), warehouse.table("order"), name), name) as draft:
            draft.read(date(2025, 1, 1), date(2025, 1, 2))
            return draft.finalize(run_id=run_id, generation=0)

    return draw_unit


def test_what_a_run_records(copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_RUN_EXECUTION", "run-1")
    shop.orders.put("2025-01-01", order("2025-01-01", 11))

    run_command("smolqwery_extract", "--to", "2025-01-02")

    created = copy.clients.bigquery.get_table(copy.name("order")).created
    assert copy.ledger("DISTINCT `table_created`", "") == [(created,)]
    assert copy.ledger("`table_id`, `day`, `generation`, `event`, `row_count`, `run_id`, `time_zone`") == [
        ("order", date(2025, 1, 1), 0, "prepared", 2, "run-1", NEW_YORK),
        ("order", date(2025, 1, 2), 0, "prepared", 1, "run-1", NEW_YORK),
        ("order", date(2025, 1, 1), 0, "committed", 2, "run-1", NEW_YORK),
        ("order", date(2025, 1, 2), 0, "committed", 1, "run-1", NEW_YORK),
    ]
    streams = {tuple(streams) for (streams,) in copy.ledger("`streams`")}
    assert [len(together) for together in streams] == [1]


class TestPrepare:
    def test_one_of_many_at_once_wins_and_all_hear_who(
        self, copy: WarehouseCopy, warehouse: Warehouse, draw: Callable[[str], Unit]
    ) -> None:
        rivals = [draw(f"run {number}") for number in range(4)]
        barrier = Barrier(len(rivals), timeout=30)

        def prepare(rival: Unit) -> Unit | None:
            own = Ledger(Warehouse(load_settings()), time_zone=NEW_YORK)
            barrier.wait()
            return own.prepare(rival)

        with ThreadPoolExecutor(len(rivals)) as runs:
            winners = list(runs.map(prepare, rivals))

        (winner,) = (rival for rival in rivals if rival == winners[0])
        assert winners == [winner] * len(rivals)
        assert copy.ledger("`day`, `run_id`") == [(day, winner.run_id) for day in winner.days]
        for _ in winners:
            _commit(warehouse, winner)
        assert copy.rows("order", "number") == [(1,), (2,)]

    def test_the_loser_commits_what_the_winner_left(
        self, copy: WarehouseCopy, run_command: RunCommand, draw: Callable[[str], Unit], warehouse: Warehouse
    ) -> None:
        """The winner died between prepare and commit, while the loser was reading."""
        rival = draw("the winner")
        shop.orders.clear()
        shop.orders.put(
            "2025-01-01",
            lambda: Ledger(warehouse, time_zone=NEW_YORK).prepare(rival),
            order("2025-01-01", 1),
        )

        result = run_command("smolqwery_extract", "--to", "2025-01-01")

        assert result == ("order  2025-01-01 to 2025-01-02  2 rows  committed by another run  0.0 s\n", "", 0)
        assert copy.rows("order", "number") == [(1,), (2,)]

    def test_days_that_overlap_a_live_one_are_refused(
        self, copy: WarehouseCopy, warehouse: Warehouse, draw: Callable[[str], Unit]
    ) -> None:
        """Of another first day, so of another job id."""
        own = Ledger(warehouse, time_zone=NEW_YORK)
        first = draw("run 1")
        own.prepare(first)
        later = replace(first, days=(date(2025, 1, 2), date(2025, 1, 3)), run_id="run 2")

        assert own.prepare(later) == first
        assert copy.ledger("DISTINCT `run_id`", "") == [("run 1",)]

    @pytest.mark.parametrize("arrived", [True, False])
    def test_a_lost_connection(
        self,
        copy: WarehouseCopy,
        warehouse: Warehouse,
        draw: Callable[[str], Unit],
        monkeypatch: pytest.MonkeyPatch,
        arrived: bool,  # noqa: FBT001 - a case
    ) -> None:
        """Whether the INSERT arrived or not: it runs once, and the run learns that it was its own."""
        own = Ledger(warehouse, time_zone=NEW_YORK)
        begin = Jobs._begin
        losses = [requests.ConnectionError("connection reset")]

        def lose_once(self: Jobs, *args: Any, job_id: str | None = None) -> Any:
            loss = losses.pop() if job_id and losses else None
            job = begin(self, *args, job_id=job_id) if arrived or not loss else None
            if loss:
                raise loss
            return job

        monkeypatch.setattr(Jobs, "_begin", lose_once)
        drawn = draw("run 1")

        assert own.prepare(drawn) == drawn
        assert not losses
        assert copy.ledger("`day`") == [(date(2025, 1, 1),), (date(2025, 1, 2),)]

    def test_a_job_that_failed_is_followed_by_the_next_attempt(
        self, copy: WarehouseCopy, warehouse: Warehouse, draw: Callable[[str], Unit]
    ) -> None:
        drawn = draw("run 1")
        _fail_job(copy, job_id(_key(copy, drawn), attempt=0))

        assert Ledger(warehouse, time_zone=NEW_YORK).prepare(drawn) == drawn
        assert copy.ledger("`run_id`") == [("run 1",), ("run 1",)]

    def test_attempts_end(
        self,
        copy: WarehouseCopy,
        warehouse: Warehouse,
        draw: Callable[[str], Unit],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Of one run: the next one goes on with the next, so a table is never stuck with failed jobs."""
        drawn = draw("run 1")
        monkeypatch.setattr(jobs, "_PAUSE_SECONDS", 0.0)
        monkeypatch.setattr(ledger_inserts, "PREPARE", "SELECT ERROR('not today')")
        own = Ledger(warehouse, time_zone=NEW_YORK)

        with pytest.raises(LedgerError, match=r"did not succeed: .*not today") as caught:
            own.prepare(drawn)
        monkeypatch.undo()

        assert caught.value.location == copy.ledger_name
        assert Ledger(warehouse, time_zone=NEW_YORK).prepare(drawn) == drawn


class TestRecovery:
    def test_what_was_prepared_is_committed_before_anything_is_read(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(commits, "commit", _refusing_commit)
            first = run_command("smolqwery_extract", "--to", "2025-01-02")
        visible_before = copy.rows("order", "number")
        visible_while_reading: list[object] = []
        shop.orders.clear()
        shop.orders.put("2025-01-03", lambda: visible_while_reading.extend(copy.rows("order", "number")))

        second = run_command("smolqwery_extract", "--to", "2025-01-03")

        name = copy.name("order")
        assert first == (
            "",
            f"order failed.\n{name}, 2025-01-01 to 2025-01-02: BigQuery does not commit its write streams: no answer.\n"
            "  Run the command again: no row is lost, or there twice.\n"
            "Exported 0 of 1 tables. Failed: order.\n",
            1,
        )
        assert visible_before == []
        assert second == (
            "order  2025-01-01 to 2025-01-02  2 rows  recovered  0.0 s\norder  2025-01-03  0 rows  committed  0.0 s\n",
            "",
            0,
        )
        assert visible_while_reading == [(1,), (2,)]
        assert shop.orders.asked == ["2025-01-03"]

    def test_nothing_is_prepared_while_a_unit_is_in_doubt(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commits, "commit", _refusing_commit)
        run_command("smolqwery_extract", "--to", "2025-01-01")
        shop.orders.asked.clear()

        result = run_command("smolqwery_extract", "--to", "2025-01-02")

        assert (result.stdout, result.exit_code) == ("", 1)
        assert shop.orders.asked == []
        assert copy.ledger("`day`, `event`") == [(date(2025, 1, 1), "prepared")]

    def test_a_lost_mark_costs_a_repeated_commit(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose(*_args: object) -> None:
            raise WarehouseError(location="ledger", problem="no answer.", remedy="Again.")

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "mark", lose)
            first = run_command("smolqwery_extract", "--to", "2025-01-01")
        second = run_command("smolqwery_extract", "--to", "2025-01-01")

        assert (first.stdout, first.exit_code) == ("", 1)
        assert second == (
            "order  2025-01-01  1 row  recovered  0.0 s\norder  nothing new, exported to 2025-01-01\n",
            "",
            0,
        )
        assert copy.rows("order", "number") == [(1,)]
        assert copy.ledger("`event`") == [("prepared",), ("committed",)]

    def test_commits_are_repeatable(
        self, copy: WarehouseCopy, warehouse: Warehouse, draw: Callable[[str], Unit]
    ) -> None:
        own = Ledger(warehouse, time_zone=NEW_YORK)
        prepared = draw("run 1")
        own.prepare(prepared)

        for _ in range(3):
            _commit(warehouse, prepared)

        assert copy.rows("order", "number") == [(1,), (2,)]

    def test_a_dry_run_commits_nothing(
        self, copy: WarehouseCopy, run_command: RunCommand, draw: Callable[[str], Unit], warehouse: Warehouse
    ) -> None:
        Ledger(warehouse, time_zone=NEW_YORK).prepare(draw("run 1"))

        result = run_command("smolqwery_extract", "--dry-run", "--to", "2025-01-03")

        assert result == ("order  2025-01-03  1 row  would commit  0.0 s\n", "", 0)
        assert copy.rows("order") == []


class TestStreamsThatAreGone:
    """BigQuery does not know the streams of a prepared unit: what is in the table decides, and the time."""

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(commits, "REFUSED_SECONDS", 0.1)

    @pytest.fixture
    def lost(self, warehouse: Warehouse, draw: Callable[[str], Unit]) -> Unit:
        """Prepared, two rows, and its stream is not there."""
        drawn = draw("run 1")
        gone = f"{path_of_table(warehouse.name('order'))}/streams/gone"
        prepared = replace(drawn, streams=(gone,))
        Ledger(warehouse, time_zone=NEW_YORK).prepare(prepared)
        return prepared

    def test_not_before_nobody_can_commit_them(self, copy: WarehouseCopy, run_command: RunCommand, lost: Unit) -> None:
        shop.orders.asked.clear()

        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        ((prepared_at,),) = copy.ledger("DISTINCT `recorded_at`", "")
        assert result == (
            "",
            f"order failed.\n{copy.name('order')}, 2025-01-01 to 2025-01-02: prepared at "
            f"{prepared_at:%Y-%m-%d %H:%M} UTC, and BigQuery does not commit its write streams: {_gone(lost)}.\n"
            f"  From {prepared_at + timedelta(hours=25):%Y-%m-%d %H:%M} UTC on nobody can commit them any more, and "
            "the next run exports these days again. Until then the table waits.\n"
            "Exported 0 of 1 tables. Failed: order.\n",
            1,
        )
        assert shop.orders.asked == []

    def test_exactly_its_days_are_done_again(
        self, copy: WarehouseCopy, run_command: RunCommand, lost: Unit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del lost
        monkeypatch.setattr(doubt, "SAFE_AFTER", timedelta(0))

        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert result == (
            "order  2025-01-01 to 2025-01-02  2 rows  abandoned  0.0 s\n"
            "order  2025-01-01 to 2025-01-02  2 rows  committed  0.0 s\n"
            "order  2025-01-03  1 row  committed  0.0 s\n",
            "",
            0,
        )
        assert copy.rows("order", "number") == [(1,), (2,), (3,)]
        assert copy.ledger("`generation`, `event`", "WHERE `day` = '2025-01-01' ORDER BY `recorded_at`") == [
            (0, "prepared"),
            (0, "abandoned"),
            (1, "prepared"),
            (1, "committed"),
        ]

    def test_rows_that_are_there_were_committed(self, copy: WarehouseCopy, run_command: RunCommand, lost: Unit) -> None:
        del lost
        _insert(copy, 1, 2)

        result = run_command("smolqwery_extract", "--to", "2025-01-02")

        assert result == (
            "order  2025-01-01 to 2025-01-02  2 rows  recovered  0.0 s\norder  nothing new, exported to 2025-01-02\n",
            "",
            0,
        )
        assert copy.rows("order", "number") == [(1,), (2,)]

    def test_some_of_the_rows_are_for_a_person_to_look_at(
        self, copy: WarehouseCopy, run_command: RunCommand, lost: Unit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(doubt, "SAFE_AFTER", timedelta(0))
        _insert(copy, 1)

        result = run_command("smolqwery_extract", "--to", "2025-01-02")

        assert (result.stdout, result.exit_code) == ("", 1)
        assert result.stderr.startswith(
            f"order failed.\n{copy.name('order')}, 2025-01-01 to 2025-01-02: BigQuery does not commit its write "
            f"streams: {_gone(lost)}; the table has 1 of its 2 rows.\n"
        )
        assert copy.ledger("DISTINCT `event`", "") == [("prepared",)]


def test_a_day_abandoned_long_ago_is_exported_as_the_next_generation(
    copy: WarehouseCopy, run_command: RunCommand, draw: Callable[[str], Unit], warehouse: Warehouse
) -> None:
    """The run that abandoned it died before it could do it again."""
    own = Ledger(warehouse, time_zone=NEW_YORK)
    drawn = draw("run 1")
    own.prepare(drawn)
    own.mark(drawn, "abandoned")

    result = run_command("smolqwery_extract", "--to", "2025-01-03")

    assert result == (
        "order  2025-01-01 to 2025-01-02  2 rows  committed  0.0 s\norder  2025-01-03  1 row  committed  0.0 s\n",
        "",
        0,
    )
    assert copy.rows("order", "number") == [(1,), (2,), (3,)]
    assert copy.ledger("`day`, MAX(`generation`)", "GROUP BY 1 ORDER BY 1")[0] == (date(2025, 1, 1), 1)


def _refusing_commit(*_args: object, location: str, **_kwargs: object) -> None:
    raise WriteError(
        location=location,
        problem="BigQuery does not commit its write streams: no answer.",
        remedy="Run the command again: no row is lost, or there twice.",
    )


def _commit(warehouse: Warehouse, unit: Unit) -> None:
    name = warehouse.name("order")
    assert commit_unit(
        run_on(warehouse, load_settings()), source_of(OrderExtractor(), warehouse.table("order"), name), unit
    )


def _key(copy: WarehouseCopy, unit: Unit) -> tuple[object, ...]:
    return ("prepare", copy.name("order"), unit.table_created.isoformat(), unit.days[0], unit.generation)


def _gone(unit: Unit) -> str:
    """BigQuery's words."""
    (stream,) = unit.streams
    return f"STREAM_NOT_FOUND: STREAM_NOT_FOUND: {stream}"


def _fail_job(copy: WarehouseCopy, job_id: str) -> None:
    with pytest.raises(GoogleAPICallError):
        copy.clients.bigquery.query("SELECT ERROR('no')", job_id=job_id, job_retry=None, location="EU").result()


def _insert(copy: WarehouseCopy, *numbers: int) -> None:
    values = ", ".join(f"('2025-01-0{number} 17:00:00+00', {number})" for number in numbers)
    copy.sql(f"INSERT INTO `{copy.name('order')}` (`timestamp`, `number`) VALUES {values}")
