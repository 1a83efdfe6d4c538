"""Runs that overlap, wake up late, or lose the ground under them, at the places where that hurts most."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from google.api_core.exceptions import Forbidden
from google.cloud.bigquery import QueryJob

from exporter import commits, counts, doubt, jobs, ledger_inserts, unit
from exporter.jobs import Jobs
from exporter_cases import shop
from exporter_cases.interleaving import Killed, die, once
from exporter_cases.shop import OrderExtractor, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy


@pytest.fixture
def copy(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    """The tables of the shop's orders, with one order on each of the first three days."""
    warehouse = make_warehouse(OrderExtractor)
    for number in (1, 2, 3):
        shop.orders.put(f"2025-01-0{number}", order(f"2025-01-0{number}", number))
    return warehouse


def _other_run(*argv: str) -> None:
    call_command("smolqwery_extract", *argv, "--verbosity", "0")


def _numbers(copy: WarehouseCopy) -> list[int]:
    return [number for (number,) in copy.rows("order", "`number`")]


def _lose_ledger(copy: WarehouseCopy) -> None:
    dataset = f"{copy.dataset}_exporter"
    copy.drop_table("ledger", dataset=dataset)
    copy.make_table("ledger", copy.schema("exporter_ledger"), dataset=dataset)


def _prepare_and_die(monkeypatch: pytest.MonkeyPatch, *argv: str) -> None:
    once(monkeypatch, "prepared", die)
    with pytest.raises(Killed):
        _other_run(*argv)


class TestARunThatIsSuspendedWhileItCountsRows:
    """The streams of a unit of two days are gone, and it finds out by the rows that are there."""

    @pytest.fixture(autouse=True)
    def _gone(self, copy: WarehouseCopy, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        del db
        monkeypatch.setattr(commits, "REFUSED_SECONDS", 0.0)
        _prepare_and_die(monkeypatch, "--to", "2025-01-02")
        copy.sql(f"UPDATE `{copy.ledger_name}` SET `streams` = [CONCAT(`streams`[OFFSET(0)], 'gone')] WHERE TRUE")

    @staticmethod
    def _meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
        """Between the first look at the ledger and the count."""
        count = counts.rows_between

        def rows_between(*args: Any) -> int:
            monkeypatch.setattr(doubt, "rows_between", count)
            happens()
            return count(*args)

        monkeypatch.setattr(doubt, "rows_between", rows_between)

    def test_rows_of_a_later_generation_are_not_taken_for_its_own(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A day later, another run has abandoned it and done again the first of its days, which has a second row."""

        def a_day_later() -> None:
            with monkeypatch.context() as patched:
                patched.setattr(doubt, "SAFE_AFTER", timedelta(0))
                shop.orders.put("2025-01-01", order("2025-01-01", 11))
                _other_run("--to", "2025-01-01")

        self._meanwhile(monkeypatch, a_day_later)

        run_command("smolqwery_extract", "--to", "2025-01-03")
        run_command("smolqwery_extract", "--to", "2025-01-03")

        assert sorted(_numbers(copy)) == [1, 2, 3, 11]

    def test_rows_of_a_later_generation_are_no_reason_to_give_up(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def a_day_later() -> None:
            with monkeypatch.context() as patched:
                patched.setattr(doubt, "SAFE_AFTER", timedelta(0))
                _other_run("--to", "2025-01-01")

        self._meanwhile(monkeypatch, a_day_later)

        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert (result.stderr, result.exit_code) == ("", 0)
        assert _numbers(copy) == [1, 2, 3]


class TestTheLedgerIsLost:
    def test_between_prepare_and_commit(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is committed afterwards is adopted by the next run, like all that was there before."""
        once(monkeypatch, "prepared", lambda: _lose_ledger(copy))

        run_command("smolqwery_extract", "--to", "2025-01-02")
        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert result.exit_code == 0
        assert _numbers(copy) == [1, 2, 3]

    def test_with_a_unit_in_doubt_that_a_run_knows_of(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _prepare_and_die(monkeypatch, "--to", "2025-01-02")
        once(monkeypatch, "ledger read", lambda: _lose_ledger(copy))

        run_command("smolqwery_extract", "--to", "2025-01-02")
        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert result.exit_code == 0
        assert _numbers(copy) == [1, 2, 3]


class TestTheLedgerThatARunHasReadIsOld:
    """Hours old, for the last of many tables."""

    def test_days_of_another_time_zone_are_refused(
        self, copy: WarehouseCopy, run_command: RunCommand, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def other_run() -> None:
            settings.TIME_ZONE = "America/New_York"
            _other_run("--to", "2025-01-02")

        settings.TIME_ZONE = "Asia/Tokyo"
        once(monkeypatch, "ledger read", other_run)
        shop.orders.clear()
        shop.orders.put("2025-01-02", order("2025-01-02", 2, hour=15))

        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert result.exit_code == 1
        assert "its days are local to America/New_York, and TIME_ZONE is Asia/Tokyo now" in result.stderr
        assert copy.ledger("DISTINCT `time_zone`", "") == [("America/New_York",)]

    def test_days_of_another_time_zone_are_refused_also_by_a_run_that_has_read_rows(
        self, copy: WarehouseCopy, run_command: RunCommand, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def other_run() -> None:
            settings.TIME_ZONE = "America/New_York"
            _other_run("--to", "2025-01-01")

        settings.TIME_ZONE = "America/Chicago"
        once(monkeypatch, "finalized", other_run)

        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert result.exit_code == 1
        assert "its days are local to America/New_York, and TIME_ZONE is America/Chicago now" in result.stderr
        assert copy.ledger("DISTINCT `time_zone`", "") == [("America/New_York",)]
        assert _numbers(copy) == [1]

    def test_an_earlier_first_date_does_not_block_the_table(
        self, copy: WarehouseCopy, run_command: RunCommand, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two runs of an empty table that do not agree on its first day."""
        monkeypatch.setattr(unit, "UNIT_ROWS", 1)
        shop.orders.clear()
        shop.orders.put("2025-01-01", order("2025-01-01", 1))
        shop.orders.put("2025-01-03", order("2025-01-03", 3))

        def other_run() -> None:
            settings.SMOLQWERY_FIRST_DATE = "2025-01-03"
            _other_run("--to", "2025-01-03")
            settings.SMOLQWERY_FIRST_DATE = "2025-01-01"

        once(monkeypatch, "opened", other_run)

        first = run_command("smolqwery_extract", "--to", "2025-01-04")
        second = run_command("smolqwery_extract", "--to", "2025-01-04")

        assert "did not succeed" not in first.stderr + second.stderr
        assert _numbers(copy) in ([1, 3], [3])


def test_attempts_of_runs_before_cost_no_query_each(
    copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that has failed for weeks has hundreds of them, and is to go on within minutes."""
    monkeypatch.setattr(jobs, "_PAUSE_SECONDS", 0.0)
    read = Jobs.rows
    queries: list[str] = []

    def rows(self: Jobs, sql: str, parameters: Any) -> Any:
        queries.append(sql)
        return read(self, sql, parameters)

    run_command("smolqwery_extract", "--to", "2025-01-01")
    monkeypatch.setattr(Jobs, "rows", rows)
    run_command("smolqwery_extract", "--to", "2025-01-02")
    of_a_day = len(queries)
    with monkeypatch.context() as patched:
        patched.setattr(ledger_inserts, "PREPARE", "SELECT ERROR('not today')")
        for _ in range(3):
            run_command("smolqwery_extract", "--to", "2025-01-03")
    queries.clear()
    run_command("smolqwery_extract", "--to", "2025-01-03")

    assert _numbers(copy) == [1, 2, 3]
    assert len(queries) == of_a_day


def test_midnight_comes_after_the_last_day_was_adopted(
    copy: WarehouseCopy,
    run_command: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows of the day that was not over then are in the table already, and are not to be there twice."""
    copy.sql(
        f"INSERT INTO `{copy.name('order')}` (`timestamp`, `number`) VALUES "
        "('2025-01-01 17:00:00+00', 1), ('2025-01-02 17:00:00+00', 2)"
    )

    def finish_day(number: int) -> None:
        for module in ("adoption", "bounds"):
            monkeypatch.setattr(f"exporter.{module}.last_finished_day", lambda *_args: date(2025, 1, number))

    finish_day(1)
    once(monkeypatch, "adopted", lambda: finish_day(2))

    run_command("smolqwery_extract")
    run_command("smolqwery_extract")
    finish_day(3)
    run_command("smolqwery_extract")

    assert _numbers(copy) == [1, 2, 3]


class TestReplace:
    def test_a_merge_whose_end_could_not_be_read_is_not_run_again(
        self, copy: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Or a run that wakes up late would bring back what a newer replacement has exchanged."""
        run_command("smolqwery_extract", "--to", "2025-01-03")
        shop.orders.clear()
        shop.orders.put("2025-01-02", order("2025-01-02", 20))
        replace = ("--replace", "--from", "2025-01-02", "--to", "2025-01-02")
        load: Any = QueryJob._reload_query_results
        run_once = Jobs.run_once

        def refused(self: QueryJob, *args: Any, **kwargs: Any) -> Any:
            if self.job_id and self.job_id.startswith("smolqwery-merge") and self.done():
                raise Forbidden("quota exceeded")
            return load(self, *args, **kwargs)

        def suspended(self: Jobs, sql: str, parameters: Any, *, job_id: str) -> Any:
            ran = run_once(self, sql, parameters, job_id=job_id)
            if job_id.startswith("smolqwery-merge"):
                monkeypatch.setattr(QueryJob, "_reload_query_results", load)
                monkeypatch.setattr(Jobs, "run_once", run_once)
                shop.orders.clear()
                shop.orders.put("2025-01-02", order("2025-01-02", 200))
                _other_run(*replace)
            return ran

        monkeypatch.setattr(QueryJob, "_reload_query_results", refused)
        monkeypatch.setattr(Jobs, "run_once", suspended)

        result = run_command("smolqwery_extract", *replace)

        assert result == ("order  2025-01-02  1 row  replaced  0.0 s\n", "", 0)
        assert _numbers(copy) == [1, 3, 200]
