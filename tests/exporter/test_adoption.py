"""A table with rows that the ledger does not know: smolqwery's, or those of a lost ledger. And tables made again."""

from __future__ import annotations

import types
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import pytest
from django.core.management import call_command

from exporter import commits, patience, write_stream
from exporter.jobs import Jobs
from exporter_cases import shop
from exporter_cases.interleaving import Killed, die, once
from exporter_cases.shop import Order, OrderExtractor, Total, TotalExtractor, instant, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy
    from exporter import BaseExtractor


NOTHING_VISIBLE = "Nothing of it is visible. Run the command again: it starts with the same day.\n"
MADE_AGAIN = "was dropped and made again meanwhile.\n  Run the command again: it begins with the table's first day.\n"


@pytest.fixture
def warehouse(make_warehouse: MakeWarehouse, set_clock: Callable[[str], None]) -> WarehouseCopy:
    """At noon of the tenth of January. Nothing is exported, and the shelf has an order for each day that has ended."""
    set_clock("2025-01-10T12:00:00-05:00")
    made = make_warehouse(OrderExtractor)
    for number in range(1, 10):
        shop.orders.put(f"2025-01-0{number}", order(f"2025-01-0{number}", number))
    return made


def _insert(warehouse: WarehouseCopy, day: str, number: int, *, hour: int = 12) -> None:
    """A row that this exporter has not exported."""
    values = f"('{instant(day, hour):%Y-%m-%d %H:%M:%S}+00', {number})"
    warehouse.sql(f"INSERT INTO `{warehouse.name('order')}` (`timestamp`, `number`) VALUES {values}")


def _notice(warehouse: WarehouseCopy, last: str, verb: str = "are", table: str = "order") -> str:
    """Where the last day that has rows is over."""
    following = date.fromisoformat(last) + timedelta(days=1)
    return (
        f"{table}: {warehouse.name(table)}: holds rows that the ledger does not know, to {last}. "
        f"Days to {last} {verb} adopted; the export goes on with {following}.\n"
        f"  If {last} was exported in part only: "
        f"manage.py smolqwery_extract {table} --replace --from {last} --to {last}\n"
    )


def _numbers(warehouse: WarehouseCopy) -> list[int]:
    return [number for (number,) in warehouse.rows("order", "`number`")]


def _make_again(warehouse: WarehouseCopy) -> None:
    """As Terraform does where a change cannot be made in place."""
    warehouse.drop_table("order")
    warehouse.make_table("order")


def _lose_the_ledger(warehouse: WarehouseCopy) -> None:
    dataset = f"{warehouse.dataset}_exporter"
    warehouse.drop_table("ledger", dataset=dataset)
    warehouse.make_table("ledger", warehouse.schema("exporter_ledger"), dataset=dataset)


def test_the_export_goes_on_after_the_last_day_that_has_rows(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    _insert(warehouse, "2025-01-05", 50)
    _insert(warehouse, "2025-01-07", 70)
    _insert(warehouse, "2025-01-07", 71)

    first = run_command("smolqwery_extract")
    second = run_command("smolqwery_extract")

    assert first == (
        "order  2025-01-08 to 2025-01-09  2 rows  committed  0.0 s\n",
        _notice(warehouse, "2025-01-07"),
        0,
    )
    assert second == ("order  nothing new, exported to 2025-01-09\n", "", 0)
    assert _numbers(warehouse) == [8, 9, 50, 70, 71]
    assert warehouse.ledger("`day`, `event`, `row_count`", "WHERE `event` = 'adopted'") == [
        (date(2025, 1, 7), "adopted", 2)
    ]


@pytest.mark.parametrize("hour", [0, 23])
def test_days_are_local(warehouse: WarehouseCopy, run_command: RunCommand, hour: int) -> None:
    """The last hour in New York is one of the next day in UTC."""
    _insert(warehouse, "2025-01-07", 70, hour=hour)

    result = run_command("smolqwery_extract")

    assert result == (
        "order  2025-01-08 to 2025-01-09  2 rows  committed  0.0 s\n",
        _notice(warehouse, "2025-01-07"),
        0,
    )


def test_an_aggregated_table(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(TotalExtractor)
    warehouse.sql(f"INSERT INTO `{warehouse.name('total')}` (`date`, `orders`) VALUES ('2025-01-02', 2)")
    shop.totals.put("2025-01-03", Total(orders=3))

    result = run_command("smolqwery_extract", "--to", "2025-01-03")

    assert result == (
        "total  2025-01-03  1 row  committed  0.0 s\n",
        _notice(warehouse, "2025-01-02", table="total"),
        0,
    )
    assert warehouse.rows("total") == [(date(2025, 1, 2), 2), (date(2025, 1, 3), 3)]


def test_a_day_that_has_not_ended_is_adopted_when_it_has(
    warehouse: WarehouseCopy, run_command: RunCommand, set_clock: Callable[[str], None]
) -> None:
    """Or its rows would be there twice. Until then nothing is exported."""
    shop.orders.put("2025-01-11", order("2025-01-11", 11))
    _insert(warehouse, "2025-01-10", 100, hour=9)

    today = run_command("smolqwery_extract")
    again = run_command("smolqwery_extract")
    set_clock("2025-01-11T00:30:00-05:00")
    next_day = run_command("smolqwery_extract")
    set_clock("2025-01-12T00:30:00-05:00")
    after = run_command("smolqwery_extract")

    assert today == (
        "order  nothing new, exported to 2025-01-09\n",
        f"order: {warehouse.name('order')}: holds rows that the ledger does not know, to 2025-01-10. "
        "Days to 2025-01-09 are adopted; 2025-01-10 are, when it has ended.\n"
        "  If 2025-01-09 was exported in part only: "
        "manage.py smolqwery_extract order --replace --from 2025-01-09 --to 2025-01-09\n",
        0,
    )
    assert again == ("order  nothing new, exported to 2025-01-09\n", "", 0)
    assert next_day == ("order  nothing new, exported to 2025-01-10\n", _notice(warehouse, "2025-01-10"), 0)
    assert after == ("order  2025-01-11  1 row  committed  0.0 s\n", "", 0)
    assert _numbers(warehouse) == [11, 100]


def test_midnight_passes_while_it_is_adopted(
    warehouse: WarehouseCopy,
    run_command: RunCommand,
    set_clock: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A day that ends now has rows that nobody has looked at: it waits for the next run."""
    shop.orders.put("2025-01-10", order("2025-01-10", 10))
    _insert(warehouse, "2025-01-10", 100, hour=9)
    once(monkeypatch, "adopted", lambda: set_clock("2025-01-11T00:00:00-05:00"))

    first = run_command("smolqwery_extract")
    second = run_command("smolqwery_extract")

    assert first.stdout == "order  nothing new, exported to 2025-01-09\n"
    assert second == ("order  nothing new, exported to 2025-01-10\n", _notice(warehouse, "2025-01-10"), 0)
    assert _numbers(warehouse) == [100]


def test_an_adoption_that_bigquery_fails_is_tried_again(
    warehouse: WarehouseCopy,
    run_command: RunCommand,
    set_clock: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of the day after one that is adopted: exporting it would repeat its rows."""
    _insert(warehouse, "2025-01-10", 100)
    run_command("smolqwery_extract")
    set_clock("2025-01-11T00:30:00-05:00")
    shop.orders.put("2025-01-10", order("2025-01-10", 10))
    begin: Any = Jobs._begin
    failures = ["rate limit exceeded"]

    def fail_once(self: Jobs, sql: str, parameters: Any, *, job_id: str | None = None) -> Any:
        if job_id is not None and failures:
            sql = f"SELECT ERROR('{failures.pop()}')"
        return begin(self, sql, parameters, job_id=job_id)

    monkeypatch.setattr(Jobs, "_begin", fail_once)
    monkeypatch.setattr("exporter.jobs._PAUSE_SECONDS", 0.0)

    result = run_command("smolqwery_extract")

    assert result == ("order  nothing new, exported to 2025-01-10\n", _notice(warehouse, "2025-01-10"), 0)
    assert _numbers(warehouse) == [100]


def test_rows_of_the_future_are_refused(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    _insert(warehouse, "2025-01-07", 70)
    _insert(warehouse, "2025-01-11", 110)

    result = run_command("smolqwery_extract")

    assert result == (
        "",
        f"order failed.\n{warehouse.name('order')}: its last row is of 2025-01-11, in the future: its rows do not tell "
        "which days are exported.\n"
        "  Delete the rows after 2025-01-10, or export into a new table (a new dataclass name gives one).\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert _numbers(warehouse) == [70, 110]
    assert warehouse.ledger("*") == []
    assert shop.orders.asked == []


def test_a_dry_run_says_it_and_writes_nothing(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    _insert(warehouse, "2025-01-07", 70)

    result = run_command("smolqwery_extract", "--dry-run")

    assert result == (
        "order  2025-01-08 to 2025-01-09  2 rows  would commit  0.0 s\n",
        _notice(warehouse, "2025-01-07", "would be"),
        0,
    )
    assert _numbers(warehouse) == [70]
    assert warehouse.ledger("*") == []


def test_the_command_of_the_notice_mends_a_day_that_was_exported_in_part(
    warehouse: WarehouseCopy, run_command: RunCommand
) -> None:
    shop.orders.put("2025-01-07", order("2025-01-07", 71), order("2025-01-07", 72))
    _insert(warehouse, "2025-01-06", 60)
    _insert(warehouse, "2025-01-07", 7)

    adopted = run_command("smolqwery_extract")
    command = adopted.stderr.rpartition("manage.py ")[2].split()
    mended = run_command(*command)
    verified = run_command("smolqwery_verify")

    assert mended == ("order  2025-01-07  3 rows  replaced  0.0 s\n", "", 0)
    assert _numbers(warehouse) == [7, 8, 9, 60, 71, 72]
    assert (verified.stderr, verified.exit_code) == ("", 0)


def test_days_before_the_adopted_one_can_be_replaced_too(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    """Also in the run that adopts, also those that had no rows."""
    _insert(warehouse, "2025-01-05", 50)
    _insert(warehouse, "2025-01-06", 60)
    _insert(warehouse, "2025-01-07", 70)

    replaced = run_command("smolqwery_extract", "--replace", "--from", "2025-01-03", "--to", "2025-01-06")
    exported = run_command("smolqwery_extract")

    assert replaced == (
        "order  2025-01-03 to 2025-01-06  4 rows  replaced  0.0 s\n",
        _notice(warehouse, "2025-01-07"),
        0,
    )
    assert exported == ("order  2025-01-08 to 2025-01-09  2 rows  committed  0.0 s\n", "", 0)
    assert _numbers(warehouse) == [3, 4, 5, 6, 8, 9, 70]


@pytest.mark.parametrize("first_date", ["2024-06-01", "2025-01-09"])
def test_the_first_date_neither_adds_days_nor_leaves_any_out(
    warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings, first_date: str
) -> None:
    settings.SMOLQWERY_FIRST_DATE = first_date
    _insert(warehouse, "2025-01-07", 70)

    first = run_command("smolqwery_extract", "--to", "2025-01-08")
    second = run_command("smolqwery_extract")

    assert first.stdout == "order  2025-01-08  1 row  committed  0.0 s\n"
    assert second == ("order  2025-01-09  1 row  committed  0.0 s\n", "", 0)


def test_another_time_zone_is_refused(warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings) -> None:
    _insert(warehouse, "2025-01-07", 70)
    run_command("smolqwery_extract", "--to", "2025-01-07")
    settings.TIME_ZONE = "Europe/Paris"

    result = run_command("smolqwery_extract")

    assert result == (
        "",
        f"order failed.\n{warehouse.name('order')}: its days are local to America/New_York, and TIME_ZONE is "
        "Europe/Paris now: days would overlap.\n"
        "  Set TIME_ZONE back to 'America/New_York', or export into a new table.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert _numbers(warehouse) == [70]


class TestTwoAtOnce:
    def test_one_adopted_day(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other adopts and exports while one has read an empty ledger."""
        _insert(warehouse, "2025-01-07", 70)
        once(monkeypatch, "ledger read", lambda: call_command("smolqwery_extract", "--to", "2025-01-08"))

        result = run_command("smolqwery_extract")

        assert result.stdout == (
            "order  2025-01-08  1 row  committed  0.0 s\norder  2025-01-09  1 row  committed  0.0 s\n"
        )
        assert result.exit_code == 0
        assert _numbers(warehouse) == [8, 9, 70]
        assert warehouse.ledger("`day`", "WHERE `event` = 'adopted'") == [(date(2025, 1, 7),)]

    def test_the_same_adoption(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both have seen the same last day, and ask for it at once."""
        _insert(warehouse, "2025-01-07", 70)
        run = Jobs.run

        def run_after_the_other(self: Jobs, *args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(Jobs, "run", run)
            call_command("smolqwery_extract", "--to", "2025-01-07")
            return run(self, *args, **kwargs)

        monkeypatch.setattr(Jobs, "run", run_after_the_other)

        result = run_command("smolqwery_extract")

        assert result == (
            "order  nothing new, exported to 2025-01-07\norder  2025-01-08 to 2025-01-09  2 rows  committed  0.0 s\n",
            _notice(warehouse, "2025-01-07") * 2,
            0,
        )
        assert _numbers(warehouse) == [8, 9, 70]
        assert warehouse.ledger("`day`, `row_count`", "WHERE `event` = 'adopted'") == [(date(2025, 1, 7), 1)]

    def test_rows_that_another_run_has_just_committed_are_not_adopted(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        once(monkeypatch, "ledger read", lambda: call_command("smolqwery_extract", "--to", "2025-01-07"))

        result = run_command("smolqwery_extract")

        assert result == (
            "order  2025-01-01 to 2025-01-07  7 rows  committed  0.0 s\n"
            "order  2025-01-08 to 2025-01-09  2 rows  committed  0.0 s\n",
            "",
            0,
        )
        assert _numbers(warehouse) == list(range(1, 10))
        assert warehouse.ledger("*", "WHERE `event` = 'adopted'") == []

    def test_a_run_that_dies_when_it_has_adopted(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _insert(warehouse, "2025-01-07", 70)
        once(monkeypatch, "adopted", die)
        with pytest.raises(Killed):
            run_command("smolqwery_extract")

        result = run_command("smolqwery_extract")

        assert result == ("order  2025-01-08 to 2025-01-09  2 rows  committed  0.0 s\n", "", 0)
        assert _numbers(warehouse) == [8, 9, 70]


class TestALostLedger:
    def test_no_row_is_there_twice(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        """Days at the end that had no rows are asked again: nothing tells that they were exported."""
        shop.orders.clear()
        for number in (1, 2, 3):
            shop.orders.put(f"2025-01-0{number}", order(f"2025-01-0{number}", number))
        run_command("smolqwery_extract", "--to", "2025-01-02")
        run_command("smolqwery_extract", "--to", "2025-01-04")
        run_command("smolqwery_extract", "--to", "2025-01-06")
        _lose_the_ledger(warehouse)
        shop.orders.asked.clear()

        result = run_command("smolqwery_extract")

        assert result == (
            "order  2025-01-04 to 2025-01-09  0 rows  committed  0.0 s\n",
            _notice(warehouse, "2025-01-03"),
            0,
        )
        assert shop.orders.asked == [f"2025-01-0{day}" for day in range(4, 10)]
        assert _numbers(warehouse) == [1, 2, 3]

    def test_jobs_of_its_days_have_run_already(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        """Lost twice: the same adoption, and the same prepare, under the next attempt's ids."""
        run_command("smolqwery_extract", "--to", "2025-01-07")
        shop.orders.clear()
        for _ in range(3):
            run_command("smolqwery_extract")
            _lose_the_ledger(warehouse)

        result = run_command("smolqwery_extract")

        assert result == (
            "order  2025-01-08 to 2025-01-09  0 rows  committed  0.0 s\n",
            _notice(warehouse, "2025-01-07"),
            0,
        )
        assert _numbers(warehouse) == list(range(1, 8))
        assert warehouse.ledger("`day`, `event`") == [
            (date(2025, 1, 7), "adopted"),
            (date(2025, 1, 8), "prepared"),
            (date(2025, 1, 9), "prepared"),
        ]


class TestATableMadeAgain:
    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Streams that are not found are not asked for half a minute."""
        monkeypatch.setattr(write_stream, "RETRY", patience.RETRY.with_timeout(0.5))
        monkeypatch.setattr(write_stream, "_NOT_FOUND_SECONDS", 0.5)
        monkeypatch.setattr(commits, "REFUSED_SECONDS", 0.2)

    def test_between_runs_every_day_is_exported_again(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        """Also what was adopted: it is gone with the table."""
        _insert(warehouse, "2025-01-07", 70)
        run_command("smolqwery_extract")
        _make_again(warehouse)

        result = run_command("smolqwery_extract")

        assert result == ("order  2025-01-01 to 2025-01-09  9 rows  committed  0.0 s\n", "", 0)
        assert _numbers(warehouse) == list(range(1, 10))

    def test_with_rows_that_came_back_with_it(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        """Copied from a backup: adopted, like any rows that the ledger does not know."""
        run_command("smolqwery_extract", "--to", "2025-01-08")
        _make_again(warehouse)
        _insert(warehouse, "2025-01-06", 6)

        result = run_command("smolqwery_extract")

        assert result == (
            "order  2025-01-07 to 2025-01-09  3 rows  committed  0.0 s\n",
            _notice(warehouse, "2025-01-06"),
            0,
        )
        assert _numbers(warehouse) == [6, 7, 8, 9]

    @pytest.mark.parametrize(
        ("step", "problem"),
        [
            *((step, MADE_AGAIN) for step in ("ledger read", "finalized", "looked again", "prepared")),
            # the stream has gone with its table
            ("opened", NOTHING_VISIBLE),
            ("appended", NOTHING_VISIBLE),
            ("committed", None),
            ("marked", None),
        ],
    )
    def test_during_a_run_no_day_is_lost_and_none_is_there_twice(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        problem: str | None,
    ) -> None:
        run_command("smolqwery_extract", "--to", "2025-01-04")
        once(monkeypatch, step, lambda: _make_again(warehouse))

        result = run_command("smolqwery_extract")
        left = _numbers(warehouse)
        later = run_command("smolqwery_extract")

        assert left == []
        if problem is None:
            assert result == ("order  2025-01-05 to 2025-01-09  5 rows  committed  0.0 s\n", "", 0)
        else:
            assert problem in result.stderr
            assert (result.stdout, result.exit_code) == ("", 1)
        assert later == ("order  2025-01-01 to 2025-01-09  9 rows  committed  0.0 s\n", "", 0)
        assert _numbers(warehouse) == list(range(1, 10))

    def test_while_it_is_adopted(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The rows were in the table that is gone."""
        _insert(warehouse, "2025-01-07", 70)
        once(monkeypatch, "adopted", lambda: _make_again(warehouse))

        result = run_command("smolqwery_extract")
        later = run_command("smolqwery_extract")

        assert (result.stdout, result.exit_code) == ("", 1)
        assert MADE_AGAIN in result.stderr
        assert later == ("order  2025-01-01 to 2025-01-09  9 rows  committed  0.0 s\n", "", 0)
        assert _numbers(warehouse) == list(range(1, 10))

    def test_when_the_run_that_comes_after_it_has_exported_already(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run that began with the old table adds nothing to the new one."""

        def made_again_and_exported() -> None:
            _make_again(warehouse)
            call_command("smolqwery_extract")

        once(monkeypatch, "finalized", made_again_and_exported)

        result = run_command("smolqwery_extract")

        assert result.stdout == "order  2025-01-01 to 2025-01-09  9 rows  committed  0.0 s\n"
        assert result.exit_code == 1
        assert MADE_AGAIN in result.stderr
        assert _numbers(warehouse) == list(range(1, 10))


class TestSmolqwery:
    """Tables as smolqwery 0.1.3 makes and fills them: columns by its own type names, a group that may write,
    no partitions, rows by insertAll.
    """

    def test_an_aggregated_table_is_taken_over(self, make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
        warehouse = make_warehouse(TotalExtractor)
        _make_as_smolqwery(warehouse, TotalExtractor())
        _insert_all(warehouse, "total", *({"date": f"2025-01-0{day}", "orders": day} for day in (1, 2, 3)))
        shop.totals.put("2025-01-03", Total(orders=30))
        shop.totals.put("2025-01-04", Total(orders=40))

        adopted = run_command("smolqwery_extract", "--to", "2025-01-04")
        replaced = run_command(*adopted.stderr.rpartition("manage.py ")[2].split())

        assert adopted == (
            "total  2025-01-04  1 row  committed  0.0 s\n",
            _notice(warehouse, "2025-01-03", table="total"),
            0,
        )
        assert replaced == ("total  2025-01-03  1 row  replaced  0.0 s\n", "", 0)
        assert warehouse.rows("total") == [(date(2025, 1, day), orders) for day, orders in enumerate((1, 2, 30, 40), 1)]

    def test_columns_that_need_a_new_table_are_named(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand
    ) -> None:
        warehouse = make_warehouse(OrderExtractor)
        _make_as_smolqwery(warehouse, OrderExtractor())

        result = run_command("smolqwery_extract", "--to", "2025-01-04")

        assert result == (
            "",
            f"order failed.\n{warehouse.name('order')}, column timestamp: DATE in BigQuery, as smolqwery makes bool "
            "and datetime; the dataclass has TIMESTAMP.\n"
            "  BigQuery does not change a column's type. Export into a new table: a new dataclass name, or "
            "get_table_name(), gives one.\n"
            "Exported 0 of 1 tables. Failed: order.\n",
            1,
        )
        assert warehouse.ledger("*") == []


def _make_as_smolqwery(warehouse: WarehouseCopy, extractor: BaseExtractor[Any]) -> None:
    """In the place of what Terraform has made."""
    table = extractor.get_table_name()
    access = {"role": "WRITER", "groupByEmail": "analysts@example.com"}
    warehouse.send("PATCH", f"datasets/{warehouse.dataset}", {"access": [access]})
    warehouse.drop_table(table)
    columns = _smolqwery_columns(extractor.get_dataclass())
    if extractor.get_date_field() == "date":
        columns.insert(0, {"name": "date", "type": "DATE", "mode": "REQUIRED"})
    body = {"tableReference": {"tableId": table}, "schema": {"fields": columns}}
    warehouse.send("POST", f"datasets/{warehouse.dataset}/tables", body)


def _smolqwery_columns(row_class: type) -> list[dict[str, Any]]:
    hints = get_type_hints(row_class)
    return [_smolqwery_column(one.name, hints[one.name]) for one in fields(row_class)]


def _smolqwery_column(name: str, annotation: Any) -> dict[str, Any]:
    kinds = [annotation]
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    # The first that fits, so BOOL and TIMESTAMP are never reached.
    order_of_questions = (
        (int, "INT64"),
        (float, "FLOAT64"),
        (bool, "BOOL"),
        (str, "STRING"),
        (bytes, "BYTES"),
        (date, "DATE"),
        (datetime, "TIMESTAMP"),
    )
    kind = next(kind for python, kind in order_of_questions if issubclass(kinds[0], python))
    return {"name": name, "type": kind, "mode": "REQUIRED" if kinds == [annotation] else "NULLABLE"}


def _insert_all(warehouse: WarehouseCopy, table: str, *rows: dict[str, Any]) -> None:
    path = f"datasets/{warehouse.dataset}/tables/{table}/insertAll"
    answer = warehouse.send("POST", path, {"rows": [{"json": row} for row in rows]})
    assert not answer.get("insertErrors")


def test_columns_as_smolqwery_makes_them() -> None:
    assert _smolqwery_columns(Order) == [
        {"name": "timestamp", "type": "DATE", "mode": "REQUIRED"},
        {"name": "number", "type": "INT64", "mode": "REQUIRED"},
        {"name": "customer", "type": "STRING", "mode": "NULLABLE"},
    ]
