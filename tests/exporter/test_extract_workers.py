"""`manage.py smolqwery_extract --workers N`: tables at once, each as if it were alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from exporter import QuerySetExtractor, export, unit
from exporter_cases import shop
from exporter_cases.shop import DailyExtractor, OrderExtractor, Total, TotalExtractor, instant, order
from exporter_cases.stock import SaleExtractor, make_items, put
from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ended, MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

    MakeAlias = Callable[[str, dict[str, Any]], str]

DAYS = ("2025-01-01", "2025-01-02", "2025-01-03")
MEET_SECONDS = 30.0


def put_rows() -> None:
    for number, day in enumerate(DAYS, 1):
        shop.orders.put(day, order(day, number))
        shop.totals.put(day, Total(orders=number))


def lines(result: Ended) -> list[str]:
    """Those of one table are in their order; of several, any may be first."""
    return sorted(result.stdout.splitlines(), key=lambda line: line.split()[0])


@pytest.mark.parametrize("workers", ["2", "8"])
def test_tables_are_exported_at_once(make_warehouse: MakeWarehouse, run_command: RunCommand, workers: str) -> None:
    """Each waits for the other one, in the middle of a day."""
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    put_rows()
    both = threading.Barrier(2, timeout=MEET_SECONDS)
    for shelf in (shop.orders, shop.totals):
        shelf.put("2025-01-02", lambda: both.wait() * 0)

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--workers", workers)

    assert lines(result) == [
        "order  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s",
        "total  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s",
    ]
    assert result[1:] == ("", 0)
    assert warehouse.rows("order", "number") == [(1,), (2,), (3,)]
    assert warehouse.rows("total", "orders") == [(1,), (2,), (3,)]
    assert run_command("smolqwery_verify").exit_code == 0


def test_the_lines_of_a_table_are_in_its_order(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_warehouse(OrderExtractor, TotalExtractor)
    put_rows()
    monkeypatch.setattr(unit, "UNIT_ROWS", 1)

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--workers", "2")

    assert lines(result) == [f"{table}  {day}  1 row  committed  0.0 s" for table in ("order", "total") for day in DAYS]


def test_a_table_that_fails_stops_no_other(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor, DailyExtractor)
    warehouse.drop_table("daily")
    put_rows()
    shop.totals.put("2025-01-01", ValueError("no till"))

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--workers", "3")

    assert result.stdout == "order  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s\n"
    assert result.stderr == (
        f"daily failed.\n{warehouse.name('daily')}: not in BigQuery: the exporter makes no tables.\n"
        "  Run `make codegen` and apply Terraform, then run this again.\n"
        "total failed.\nexporter_cases.shop.TotalExtractor, 2025-01-01: extract() raised ValueError: no till.\n"
        "  What was read of this day is not exported. Mend the extractor or its database, then run the command again.\n"
        "Exported 1 of 3 tables. Failed: total, daily.\n"
    )
    assert result.exit_code == 1


def test_a_defect_is_raised_when_the_others_are_done(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    put_rows()

    match = export.match_columns  # type: ignore[attr-defined]

    def no_match(name: str, *columns: Any) -> Any:
        if name.endswith(".total"):
            raise RuntimeError("a defect")
        return match(name, *columns)

    monkeypatch.setattr(export, "match_columns", no_match)

    with pytest.raises(RuntimeError, match="a defect"):
        run_command("smolqwery_extract", "--to", DAYS[-1], "--workers", "2")

    assert len(warehouse.rows("order")) == 3


def test_with_the_other_options(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor, DailyExtractor)
    put_rows()
    some = ("smolqwery_extract", "order", "total", "--workers", "2", "--to", DAYS[-1])

    dry = run_command(*some, "--dry-run")
    nothing = warehouse.ledger("*")
    run_command(*some)
    again = run_command(*some)
    shop.orders.put("2025-01-02", order("2025-01-02", 20))
    replaced = run_command(*some, "--replace", "--from", "2025-01-02")

    assert lines(dry) == [
        f"{table}  2025-01-01 to 2025-01-03  3 rows  would commit  0.0 s" for table in ("order", "total")
    ]
    assert nothing == []
    assert lines(again) == [f"{table}  nothing new, exported to 2025-01-03" for table in ("order", "total")]
    assert lines(replaced) == [
        "order  2025-01-02 to 2025-01-03  3 rows  replaced  0.0 s",
        "total  2025-01-02 to 2025-01-03  2 rows  replaced  0.0 s",
    ]
    assert warehouse.rows("order", "number") == [(1,), (2,), (3,), (20,)]


@pytest.mark.parametrize("workers", ["0", "-1", "1.5", "two", ""])
def test_what_is_no_number_of_workers(make_warehouse: MakeWarehouse, run_command: RunCommand, workers: str) -> None:
    make_warehouse(OrderExtractor)

    result = run_command("smolqwery_extract", f"--workers={workers}")

    assert result == ("", f"--workers {workers}: not a number of tables to export at once. Write it as 4.\n", 2)


def test_settings_that_name_another_location(
    make_warehouse: MakeWarehouse, run_command: RunCommand, settings: Any
) -> None:
    """The ledger was asked for there, beside the tables."""
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    put_rows()
    settings.SMOLQWERY_DATASET_LOCATION = "US"

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--workers", "2")

    assert result[1:] == ("", 0)
    assert len(warehouse.rows("order")) == len(warehouse.rows("total")) == 3


@dataclass
class Offer:
    """Of an item."""

    at: datetime
    small: int


class OfferExtractor(SaleExtractor, QuerySetExtractor[Offer]):  # the same rows, another table
    def get_dataclass(self) -> type[Any]:
        return Offer


class TestQuerySets:
    ALL = ((instant("2025-01-01"), 1), (instant("2025-01-02"), 2), (instant("2025-01-03"), 3))

    @pytest.fixture
    def db(self) -> None:
        """Instead of Django's test database, which allows a test no connection to any other."""

    def _export(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, make_alias: MakeAlias, configuration: Any
    ) -> tuple[WarehouseCopy, Ended]:
        make_alias("writer", configuration)
        make_items("writer")
        put("writer", *({"at": at, "small": small} for at, small in self.ALL))
        make_alias("shop", configuration)
        warehouse = make_warehouse(SaleExtractor, OfferExtractor)
        result = run_command("smolqwery_extract", "--to", DAYS[-1], "--workers", "2", "--verbosity", "2")
        assert [warehouse.rows(table, "`at`, `small`", "ORDER BY 1") for table in ("sale", "offer")] == [
            [*self.ALL]
        ] * 2
        return warehouse, result

    def test_of_postgresql_without_rows(
        self,
        make_warehouse: MakeWarehouse,
        run_command: RunCommand,
        make_alias: MakeAlias,
        postgresql: dict[str, Any],
    ) -> None:
        """And the workers have closed their connections."""
        _, result = self._export(make_warehouse, run_command, make_alias, postgresql)

        assert result[1:] == ("", 0)
        with connections["writer"].cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                "AND datname = current_database() AND pid != pg_backend_pid()"
            )
            assert cursor.fetchone() == (0,)

    def test_of_sqlite_by_rows(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, make_alias: MakeAlias, tmp_path: Path
    ) -> None:
        configuration = database(str(tmp_path / "shop.sqlite3"))
        _, result = self._export(make_warehouse, run_command, make_alias, configuration)

        reason = "two copies of SQLite do not see each other's locks in several threads"
        assert sorted(result.stderr.splitlines()) == [
            f"{table}: read row by row, not through ADBC: {reason}." for table in ("offer", "sale")
        ]
        assert result.exit_code == 0
