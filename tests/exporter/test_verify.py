"""`manage.py smolqwery_verify`, from outside: what is done to the table behind the exporter's back, it tells."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from conftest import Ended
from exporter import WriteError, commits, steps
from exporter.ledger import Ledger
from exporter.reading import let_go
from exporter_cases import shop
from exporter_cases.shop import Daily, DailyExtractor, Order, OrderExtractor, Total, TotalExtractor, order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

WROTE = "Something else wrote or deleted rows. Exchange them for what the extractor yields: "
CHANGED = "The source has changed since the export. Exchange them for what the extractor yields: "
OTHERS = "Something else writes to this table. "
NEW_TABLE = f"{OTHERS}Delete them, or export into a new table (a new dataclass name gives one)."
AFTERWARDS = f"{OTHERS}Delete them before these days are exported, or exchange them afterwards: --replace."
DIFFERS = "0 of 1 tables agree. Look at: order.\n"


@pytest.fixture
def orders(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    """Two on each of the first five days of January. Nothing is exported yet."""
    for day in range(1, 6):
        shop.orders.put(day_of(day), order(day_of(day), day), order(day_of(day), day + 100))
    return make_warehouse(OrderExtractor)


@pytest.fixture
def warehouse(orders: WarehouseCopy, set_clock: Callable[[str], None]) -> WarehouseCopy:
    """The orders, on the seventh of January."""
    set_clock("2025-01-07T12:00:00-05:00")
    return orders


def day_of(day: int) -> str:
    return f"2025-01-{day:02}"


def insert(warehouse: WarehouseCopy, *instants: str) -> None:
    """Orders that no run has exported."""
    rows = ", ".join(f"(TIMESTAMP '{instant}', 99)" for instant in instants)
    warehouse.sql(f"INSERT INTO `{warehouse.name('order')}` (`timestamp`, `number`) VALUES {rows}")


def delete(warehouse: WarehouseCopy, *numbers: int) -> None:
    listed = ", ".join(map(str, numbers))
    warehouse.sql(f"DELETE FROM `{warehouse.name('order')}` WHERE `number` IN ({listed})")


def replace_command(first: str, last: str, table: str = "order") -> str:
    return f"manage.py smolqwery_extract {table} --replace --from {first} --to {last}"


def refuse(*_args: object, **_kwargs: object) -> None:
    raise WriteError(location="order", problem="no answer.", remedy="Again.")


def meanwhile(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], object]) -> None:
    """After each reading of a table's days, one of these."""
    waiting, days = list(actions), Ledger.days

    def days_and_then(self: Ledger, table: Any) -> Any:
        found = days(self, table)
        if waiting:
            waiting.pop(0)()
        return found

    monkeypatch.setattr(Ledger, "days", days_and_then)


def another(*argv: str) -> Callable[[], object]:
    """A command, run by somebody else."""
    return lambda: call_command(*argv, stdout=StringIO(), stderr=StringIO())


class TestAgreement:
    def test_of_all_tables(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, set_clock: Callable[[str], None]
    ) -> None:
        set_clock("2025-01-04T12:00:00-05:00")
        make_warehouse(OrderExtractor, TotalExtractor)
        shop.orders.put("2025-01-01", *(order("2025-01-01", number) for number in range(1234)))
        for day in range(1, 4):
            shop.totals.put(day_of(day), Total(orders=1234))
        run_command("smolqwery_extract", "order")
        run_command("smolqwery_extract", "total", "--to", "2025-01-01")

        result = run_command("smolqwery_verify")
        silent = run_command("smolqwery_verify", "--verbosity", "0")

        assert result == (
            "order  2025-01-01 to 2025-01-03  1,234 rows  3 days agree\ntotal  2025-01-01  1 row  1 day agrees\n",
            "",
            0,
        )
        assert silent == ("", "", 0)

    def test_before_the_first_run(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        del warehouse
        assert run_command("smolqwery_verify") == ("order  no exported days\n", "", 0)

    def test_after_days_were_replaced(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        run_command("smolqwery_extract")
        shop.orders.put("2025-01-02", order("2025-01-02", 22))
        run_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-03")

        result = run_command("smolqwery_verify", "--source")

        assert result == ("order  2025-01-01 to 2025-01-06  11 rows  6 days agree\n", "", 0)
        delete(warehouse, 22)
        assert run_command("smolqwery_verify") == (
            "order  2025-01-01 to 2025-01-06  10 rows  5 days agree, 1 day differs\n",
            f"{warehouse.name('order')}, 2025-01-02: 3 rows by the ledger, 2 in BigQuery.\n"
            f"  {WROTE}{replace_command('2025-01-02', '2025-01-02')}\n{DIFFERS}",
            1,
        )

    @pytest.mark.parametrize("day", ["2025-03-09", "2025-11-02"])
    def test_on_days_of_23_and_25_hours(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, set_clock: Callable[[str], None], day: str
    ) -> None:
        """A row belongs to the local day that it is in, to the last microsecond."""
        first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(shop.NEW_YORK))
        days = [first + timedelta(days=offset) for offset in (-1, 0, 1)]
        set_clock((days[-1] + timedelta(days=1)).isoformat())
        warehouse = make_warehouse(OrderExtractor, first_date=f"{days[0].date()}")
        last = timedelta(hours=23, minutes=59, seconds=59, microseconds=999999)
        for number, midnight in enumerate(days):
            shop.orders.put(
                f"{midnight.date()}",
                Order(timestamp=midnight, number=number),
                Order(timestamp=midnight + last, number=number + 10),
            )
        run_command("smolqwery_extract")

        result = run_command("smolqwery_verify", "--source")
        delete(warehouse, 11)
        differing = run_command("smolqwery_verify")

        span = f"order  {days[0].date()} to {days[-1].date()}"
        assert result == (f"{span}  6 rows  3 days agree\n", "", 0)
        assert differing == (
            f"{span}  5 rows  2 days agree, 1 day differs\n",
            f"{warehouse.name('order')}, {day}: 2 rows by the ledger, 1 in BigQuery.\n"
            f"  {WROTE}{replace_command(day, day)}\n{DIFFERS}",
            1,
        )

    def test_on_a_day_that_the_zone_skipped(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, settings: Settings
    ) -> None:
        settings.TIME_ZONE = "Pacific/Apia"
        make_warehouse(TotalExtractor, first_date="2011-12-29")
        shop.totals.put("2011-12-29", Total(orders=1))
        shop.totals.put("2011-12-31", Total(orders=2))
        run_command("smolqwery_extract", "--to", "2011-12-31")

        result = run_command("smolqwery_verify", "--source")

        assert result == ("total  2011-12-29 to 2011-12-31  2 rows  3 days agree\n", "", 0)

    def test_but_for_days_that_may_have_expired(
        self, warehouse: WarehouseCopy, run_command: RunCommand, set_clock: Callable[[str], None]
    ) -> None:
        """A partition is 30 days old when a UTC day has ended, five hours before New York's."""
        thirty_days = {"type": "DAY", "field": "timestamp", "expirationMs": f"{30 * 24 * 3_600_000}"}
        warehouse.send("PATCH", f"datasets/{warehouse.dataset}/tables/order", {"timePartitioning": thirty_days})
        run_command("smolqwery_extract")
        delete(warehouse, 1, 2, 101, 102)

        set_clock("2025-01-31T18:59:59-05:00")
        before = run_command("smolqwery_verify")
        set_clock("2025-01-31T19:00:00-05:00")
        after = run_command("smolqwery_verify", "--to", "2025-01-01")

        assert before == (
            "order  2025-01-01 to 2025-01-06  6 rows  4 days agree, 1 day differs, 1 day may have expired\n",
            f"{warehouse.name('order')}, 2025-01-02: 2 rows by the ledger, 0 in BigQuery.\n"
            f"  {WROTE}{replace_command('2025-01-02', '2025-01-02')}\n{DIFFERS}",
            1,
        )
        assert after == ("order  2025-01-01  0 rows  1 day may have expired\n", "", 0)


class TestDifferences:
    def test_days_that_differ_alike_are_named_together(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        run_command("smolqwery_extract")
        delete(warehouse, 1, 2, 102)
        insert(warehouse, "2025-01-03 17:00:00+00", "2025-01-06 17:00:00+00")

        result = run_command("smolqwery_verify")

        name = warehouse.name("order")
        assert result == (
            "order  2025-01-01 to 2025-01-06  9 rows  2 days agree, 4 days differ\n",
            f"{name}, 2025-01-01 to 2025-01-02: 4 rows by the ledger, 1 in BigQuery.\n"
            f"  {WROTE}{replace_command('2025-01-01', '2025-01-02')}\n"
            f"{name}, 2025-01-03: 2 rows by the ledger, 3 in BigQuery.\n"
            f"  {WROTE}{replace_command('2025-01-03', '2025-01-03')}\n"
            f"{name}, 2025-01-06: 0 rows by the ledger, 1 in BigQuery.\n"
            f"  {WROTE}{replace_command('2025-01-06', '2025-01-06')}\n{DIFFERS}",
            1,
        )

    def test_the_command_that_is_named_mends_them(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        run_command("smolqwery_extract")
        delete(warehouse, 1, 2, 102)
        problem = run_command("smolqwery_verify").stderr

        _, _, command = problem.partition("manage.py ")
        run_command(*command.splitlines()[0].split())

        assert run_command("smolqwery_verify", "--source") == (
            "order  2025-01-01 to 2025-01-06  10 rows  6 days agree\n",
            "",
            0,
        )

    def test_of_an_aggregated_table(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, set_clock: Callable[[str], None]
    ) -> None:
        set_clock("2025-01-04T12:00:00-05:00")
        warehouse = make_warehouse(DailyExtractor)
        for day in range(1, 4):
            shop.totals.put(day_of(day), Daily(orders=day))
        run_command("smolqwery_extract")
        name = warehouse.name("daily")
        warehouse.sql(f"INSERT INTO `{name}` (`sold_on`, `orders`) VALUES ('2025-01-02', 2), ('2025-01-04', 4)")

        result = run_command("smolqwery_verify", "--source")

        assert result == (
            "daily  2025-01-01 to 2025-01-03  4 rows  2 days agree, 1 day differs\n",
            f"{name}, after 2025-01-03: 1 row that the ledger does not know.\n"
            f"  {AFTERWARDS}\n"
            f"{name}, 2025-01-02: 1 row by the ledger, 2 in BigQuery, 1 by the extractor.\n"
            f"  {WROTE}{replace_command('2025-01-02', '2025-01-02', 'daily')}\n"
            "0 of 1 tables agree. Look at: daily.\n",
            1,
        )

    def test_rows_of_days_that_the_ledger_does_not_know(
        self, warehouse: WarehouseCopy, run_command: RunCommand
    ) -> None:
        run_command("smolqwery_extract")
        insert(warehouse, "2025-01-01 04:59:59.999999+00", "2024-12-01 00:00:00+00", "2025-01-07 05:00:00+00")

        result = run_command("smolqwery_verify")

        name = warehouse.name("order")
        assert result == (
            "order  2025-01-01 to 2025-01-06  10 rows  6 days agree\n",
            f"{name}, before 2025-01-01: 2 rows that the ledger does not know.\n  {NEW_TABLE}\n"
            f"{name}, after 2025-01-06: 1 row that the ledger does not know.\n  {AFTERWARDS}\n{DIFFERS}",
            1,
        )

    def test_rows_without_a_date(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        warehouse.drop_table("order")
        looser = [{**column, "mode": "NULLABLE"} for column in warehouse.schema("order")]
        warehouse.make_table("order", looser)
        run_command("smolqwery_extract")
        warehouse.sql(f"INSERT INTO `{warehouse.name('order')}` (`number`) VALUES (99)")

        result = run_command("smolqwery_verify")

        assert result == (
            "order  2025-01-01 to 2025-01-06  10 rows  6 days agree\n",
            f"{warehouse.name('order')}, timestamp NULL: 1 row that the ledger does not know.\n"
            f"  {OTHERS}Delete them.\n{DIFFERS}",
            1,
        )

    def test_outside_the_days_asked_for_are_not_named(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        run_command("smolqwery_extract")
        insert(warehouse, "2024-12-31 17:00:00+00", "2025-01-08 17:00:00+00", "2025-01-09 17:00:00+00")
        delete(warehouse, 1, 5)

        inside = run_command("smolqwery_verify", "--from", "2025-01-02", "--to", "2025-01-04")
        beyond = run_command("smolqwery_verify", "--from", "2025-01-08", "--to", "2025-01-08")
        before = run_command("smolqwery_verify", "--from", "2025-01-01", "--to", "2025-01-01")

        name = warehouse.name("order")
        assert inside == ("order  2025-01-02 to 2025-01-04  6 rows  3 days agree\n", "", 0)
        assert beyond == (
            "order  no exported days\n",
            f"{name}, after 2025-01-06: 1 row that the ledger does not know.\n  {AFTERWARDS}\n{DIFFERS}",
            1,
        )
        assert before.stderr.startswith(f"{name}, 2025-01-01: 2 rows by the ledger, 1 in BigQuery.\n")

    def test_there_may_be_many(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, set_clock: Callable[[str], None]
    ) -> None:
        set_clock("2025-02-20T12:00:00-05:00")
        warehouse = make_warehouse(OrderExtractor)
        for number in range(25):
            day = f"{date(2025, 1, 1) + timedelta(days=2 * number)}"
            shop.orders.put(day, order(day, number))
        run_command("smolqwery_extract")
        delete(warehouse, *range(25))

        result = run_command("smolqwery_verify")

        assert result.stdout == "order  2025-01-01 to 2025-02-19  0 rows  25 days agree, 25 days differ\n"
        lines = result.stderr.splitlines()
        assert len([line for line in lines if "1 row by the ledger, 0 in BigQuery." in line]) == 20
        assert lines[-2:] == ["order: and 5 more days.", DIFFERS.rstrip()]


class TestUnfinished:
    def test_a_unit_in_doubt(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_command("smolqwery_extract", "--to", "2025-01-03")
        with monkeypatch.context() as patched:
            patched.setattr(commits, "commit", refuse)
            run_command("smolqwery_extract", "--to", "2025-01-05")

        result = run_command("smolqwery_verify", "--source")

        assert result == (
            "order  2025-01-01 to 2025-01-05  6 rows  3 days agree, 2 days are in doubt\n",
            f"{warehouse.name('order')}, 2025-01-04 to 2025-01-05: "
            "in doubt: 4 rows prepared, 0 in BigQuery, not known to be committed.\n"
            f"  The next run commits or decides: manage.py smolqwery_extract order\n{DIFFERS}",
            1,
        )
        run_command("smolqwery_extract")
        assert run_command("smolqwery_verify").exit_code == 0

    def test_abandoned_days(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(commits, "commit", refuse)
            run_command("smolqwery_extract", "--to", "2025-01-02")
        columns = ", ".join(f"`{column['name']}`" for column in warehouse.schema("exporter_ledger"))
        abandoned = columns.replace("`event`", "'abandoned'")
        warehouse.sql(
            f"INSERT INTO `{warehouse.ledger_name}` ({columns}) SELECT {abandoned} FROM `{warehouse.ledger_name}`"
        )

        empty = run_command("smolqwery_verify")
        insert(warehouse, "2025-01-02 17:00:00+00")
        written = run_command("smolqwery_verify")

        assert empty == ("order  2025-01-01 to 2025-01-02  0 rows  2 days are open\n", "", 0)
        assert written == (
            "order  2025-01-01 to 2025-01-02  1 row  1 day differs, 1 day is open\n",
            f"{warehouse.name('order')}, 2025-01-02: abandoned, to be exported again, and 1 row in BigQuery.\n"
            "  Delete the rows before the next run, or exchange them after it: "
            f"{replace_command('2025-01-02', '2025-01-02')}\n{DIFFERS}",
            1,
        )

    @pytest.mark.parametrize("step", ["replacing", "merged"])
    def test_a_replacement_that_is_undone(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """Before its MERGE as after it: the rows may be the old ones or the new ones."""
        run_command("smolqwery_extract")
        shop.orders.put("2025-01-02", order("2025-01-02", 22))
        with monkeypatch.context() as patched:
            patched.setattr(steps, "reached", lambda reached: refuse() if reached == step else None)
            run_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-03")

        result = run_command("smolqwery_verify")

        rows = 10 if step == "replacing" else 11
        assert result == (
            f"order  2025-01-01 to 2025-01-06  {rows} rows  4 days agree, 2 days are being replaced\n",
            f"{warehouse.name('order')}, 2025-01-02 to 2025-01-03: "
            "replacement 1 of this table was begun and is not known to be done.\n"
            f"  The next run finishes it: manage.py smolqwery_extract order\n{DIFFERS}",
            1,
        )
        run_command("smolqwery_extract")
        assert run_command("smolqwery_verify").exit_code == 0


class TestAdopted:
    def test_what_was_there_before_is_not_judged(self, orders: WarehouseCopy, run_command: RunCommand) -> None:
        insert(orders, "2024-06-01 12:00:00+00", "2025-01-03 17:00:00+00", "2025-01-04 17:00:00+00")
        untouched = run_command("smolqwery_verify")
        run_command("smolqwery_extract", "--to", "2025-01-06")
        insert(orders, "2024-06-02 12:00:00+00", "2025-01-04 04:59:59+00")

        result = run_command("smolqwery_verify")

        assert untouched == (
            "order  no exported days\n",
            f"{orders.name('order')}: 3 rows that the ledger does not know.\n"
            f"  The next run goes on after the last day that has rows: manage.py smolqwery_extract order\n{DIFFERS}",
            1,
        )
        assert result == ("order  2025-01-04 to 2025-01-06  3 rows  3 days agree\n", "", 0)

    def test_the_adopted_day_has_the_rows_it_had(self, orders: WarehouseCopy, run_command: RunCommand) -> None:
        insert(orders, "2025-01-04 17:00:00+00")
        run_command("smolqwery_extract", "--to", "2025-01-06")

        half = run_command("smolqwery_verify", "--source")
        insert(orders, "2025-01-04 18:00:00+00")
        written = run_command("smolqwery_verify")

        name, command = orders.name("order"), replace_command("2025-01-04", "2025-01-04")
        assert half[1:] == (
            f"{name}, 2025-01-04: 1 row by the ledger, 1 in BigQuery, 2 by the extractor.\n"
            f"  {CHANGED}{command}\n{DIFFERS}",
            1,
        )
        assert written[1:] == (
            f"{name}, 2025-01-04: 1 row by the ledger, 2 in BigQuery.\n  {WROTE}{command}\n{DIFFERS}",
            1,
        )

    def test_a_day_that_was_adopted_too_early_is_not_judged(
        self, orders: WarehouseCopy, run_command: RunCommand
    ) -> None:
        """The older exporter went on after it, and a later day was adopted."""
        insert(orders, "2025-01-02 17:00:00+00")
        run_command("smolqwery_extract", "--to", "2025-01-02")
        insert(orders, "2025-01-02 18:00:00+00", "2025-01-04 17:00:00+00")
        run_command("smolqwery_extract", "--to", "2025-01-06")

        result = run_command("smolqwery_verify")

        assert orders.ledger("`day`", "WHERE `event` = 'adopted' ORDER BY 1") == [
            (date(2025, 1, 2),),
            (date(2025, 1, 4),),
        ]
        assert result == ("order  2025-01-04 to 2025-01-06  3 rows  3 days agree\n", "", 0)


class TestMeanwhile:
    @pytest.mark.parametrize(
        ("argv", "rows"),
        [
            (["smolqwery_extract", "order"], 10),
            (["smolqwery_extract", "order", "--replace", "--from", "2025-01-01", "--to", "2025-01-01"], 5),
        ],
    )
    def test_a_run_that_comes_in_between_is_no_difference(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        monkeypatch: pytest.MonkeyPatch,
        argv: list[str],
        rows: int,
    ) -> None:
        del warehouse
        run_command("smolqwery_extract", "--to", "2025-01-02")
        shop.orders.put("2025-01-01", order("2025-01-01", 11))
        meanwhile(monkeypatch, another(*argv))

        result = run_command("smolqwery_verify")

        last = "2025-01-02" if "--replace" in argv else "2025-01-06"
        days = 2 if "--replace" in argv else 6
        assert result == (f"order  2025-01-01 to {last}  {rows} rows  {days} days agree\n", "", 0)

    def test_days_that_never_hold_still_are_not_judged(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del warehouse
        run_command("smolqwery_extract", "--to", "2025-01-02")
        meanwhile(monkeypatch, *(another("smolqwery_extract", "--to", day_of(day)) for day in range(3, 6)))

        result = run_command("smolqwery_verify")

        assert result == (
            "order  2025-01-01 to 2025-01-04  8 rows  4 days agree, 1 day has changed meanwhile\n",
            "",
            0,
        )

    def test_a_table_made_again(
        self, warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_command("smolqwery_extract")

        def make_again() -> None:
            warehouse.drop_table("order")
            warehouse.make_table("order")

        meanwhile(monkeypatch, make_again)

        result = run_command("smolqwery_verify")

        assert result.stderr.startswith(
            f"order failed.\n{warehouse.name('order')}: was dropped and made again meanwhile.\n"
        )
        assert (result.stdout, result.exit_code) == ("", 1)
        assert run_command("smolqwery_verify") == ("order  no exported days\n", "", 0)


class ManyExtractor(OrderExtractor):
    """Rows that nobody else keeps; once it has been exported, days end with one that is refused."""

    refused = False

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Order]:
        for number in range(500):
            yield Order(timestamp=date_start, number=number)
        if self.refused:
            yield Order(timestamp=date_end, number=0)


def _orders_alive() -> int:
    return sum(type(it) is Order for it in gc.get_objects())


def test_rows_of_days_that_are_refused_are_not_kept(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_warehouse(ManyExtractor)
    run_command("smolqwery_extract", "--to", "2025-01-04")
    monkeypatch.setattr(ManyExtractor, "refused", True)
    counts: list[int] = []

    def counted(error: BaseException) -> None:
        let_go(error)
        counts.append(_orders_alive())

    monkeypatch.setattr("exporter.reading.let_go", counted)
    result = run_command("smolqwery_verify", "--source")

    assert result.stderr.count("is outside the window of its day") == 4
    assert len(counts) == 4
    assert max(counts) - min(counts) < 500


class TestSource:
    def test_late_and_corrected_rows(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        run_command("smolqwery_extract")
        for day in (2, 3):
            shop.orders.put(day_of(day), order(day_of(day), 22))
        delete(warehouse, 5)

        result = run_command("smolqwery_verify", "--source")

        name = warehouse.name("order")
        assert result == (
            "order  2025-01-01 to 2025-01-06  9 rows  3 days agree, 3 days differ\n",
            f"{name}, 2025-01-02 to 2025-01-03: 4 rows by the ledger, 4 in BigQuery, 6 by the extractor.\n"
            f"  {CHANGED}{replace_command('2025-01-02', '2025-01-03')}\n"
            f"{name}, 2025-01-05: 2 rows by the ledger, 1 in BigQuery, 2 by the extractor.\n"
            f"  {WROTE}{replace_command('2025-01-05', '2025-01-05')}\n{DIFFERS}",
            1,
        )

    def test_rows_that_would_be_refused_now(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        del warehouse
        run_command("smolqwery_extract")
        moved = order("2025-01-02", 1)
        shop.orders.put("2025-01-02", replace(moved, timestamp=moved.timestamp + timedelta(days=1)))
        shop.orders.put("2025-01-03", ValueError("out of paper"))

        result = run_command("smolqwery_verify", "--source")

        path = "exporter_cases.shop.OrderExtractor"
        assert result == (
            "order  2025-01-01 to 2025-01-06  10 rows  4 days agree, 2 days differ\n",
            f"{path}, 2025-01-02, row 3, column timestamp: 2025-01-03 12:00:00-05:00 is outside the window of its day, "
            "2025-01-02 00:00:00-05:00 to 2025-01-03 00:00:00-05:00.\n"
            "  Yield only rows with date_start <= value < date_end, in a QuerySet .filter(timestamp__gte=date_start, "
            "timestamp__lt=date_end).\n"
            f"{path}, 2025-01-03: extract() raised ValueError: out of paper.\n"
            "  What was read of this day is not exported. Mend the extractor or its database, then run the command "
            "again.\n"
            f"{DIFFERS}",
            1,
        )

    def test_an_aggregated_day_has_one_row(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, set_clock: Callable[[str], None]
    ) -> None:
        set_clock("2025-01-02T12:00:00-05:00")
        make_warehouse(TotalExtractor)
        shop.totals.put("2025-01-01", Total(orders=1))
        run_command("smolqwery_extract")
        shop.totals.clear()

        result = run_command("smolqwery_verify", "--source")

        assert result == (
            "total  2025-01-01  1 row  1 day differs\n",
            "exporter_cases.shop.TotalExtractor, 2025-01-01: no row for a day that is aggregated.\n"
            "  Yield exactly one row a day, or use ExtractorType.individual_rows.\n"
            "0 of 1 tables agree. Look at: total.\n",
            1,
        )

    def test_is_not_asked_unless_told(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        del warehouse
        run_command("smolqwery_extract")
        shop.orders.asked.clear()

        run_command("smolqwery_verify")
        assert shop.orders.asked == []
        run_command("smolqwery_verify", "--source", "--from", "2025-01-02", "--to", "2025-01-03")
        assert shop.orders.asked == ["2025-01-02", "2025-01-03"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("argv", "problem"),
        [
            (["--from", "2025-1-1"], "--from 2025-1-1: not a date. Write it as 2025-01-31."),
            (["--to", "0001-01-01"], "--to 0001-01-01: days go from 0002-01-01 to 9998-12-31."),
            (["--from", "2025-01-02", "--to", "2025-01-01"], "--from 2025-01-02 is after --to 2025-01-01. Swap them."),
            (["ordr"], "'ordr' is not a table of SMOLQWERY_EXTRACTORS. Tables: order."),
        ],
    )
    def test_usage(self, warehouse: WarehouseCopy, run_command: RunCommand, argv: list[str], problem: str) -> None:
        del warehouse
        assert run_command("smolqwery_verify", *argv) == ("", f"{problem}\n", 2)

    def test_a_table_that_is_missing_does_not_stop_the_others(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand
    ) -> None:
        warehouse = make_warehouse(OrderExtractor, TotalExtractor)
        run_command("smolqwery_extract", "order", "--to", "2025-01-01")
        warehouse.drop_table("total")

        result = run_command("smolqwery_verify")

        assert result == (
            "order  2025-01-01  0 rows  1 day agrees\n",
            f"total failed.\n{warehouse.name('total')}: not in BigQuery: the exporter makes no tables.\n"
            "  Run `make codegen` and apply Terraform, then run this again.\n"
            "1 of 2 tables agree. Look at: total.\n",
            1,
        )

    def test_no_ledger(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        warehouse.drop_table("ledger", dataset=f"{warehouse.dataset}_exporter")

        assert run_command("smolqwery_verify") == (
            "",
            f"{warehouse.ledger_name}: not in BigQuery: it is the exporter's record.\n"
            "  Run `make codegen` and apply Terraform, then run this again.\n",
            1,
        )

    def test_another_time_zone(self, warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings) -> None:
        run_command("smolqwery_extract")
        settings.TIME_ZONE = "Europe/Paris"

        result = run_command("smolqwery_verify")

        assert result == _failed(
            f"{warehouse.name('order')}: its days are local to America/New_York, and TIME_ZONE is Europe/Paris now.\n"
            "  Set TIME_ZONE back to 'America/New_York'."
        )

    def test_a_date_column_of_another_type(self, warehouse: WarehouseCopy, run_command: RunCommand) -> None:
        """As smolqwery made it."""
        warehouse.drop_table("order")
        warehouse.make_table("order", [{"name": "timestamp", "type": "DATE", "mode": "REQUIRED"}])

        result = run_command("smolqwery_verify")

        assert result == _failed(
            f"{warehouse.name('order')}, column timestamp: DATE in BigQuery, as smolqwery makes bool and datetime; "
            "the dataclass has TIMESTAMP.\n"
            "  BigQuery does not change a column's type. Export into a new table: a new dataclass name, or "
            "get_table_name(), gives one."
        )


def _failed(error: str) -> Ended:
    return Ended("", f"order failed.\n{error}\n{DIFFERS}", 1)
