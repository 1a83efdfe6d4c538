"""A year of small days, exported in one go: a few units of each table, however many days they are."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, instant, order
from exporter_cases.stock import SaleExtractor, make_items, put
from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import MakeWarehouse, RunCommand
    from faults.server import FaultServer

DAYS = [f"{date(2025, 1, 1) + timedelta(days=number)}" for number in range(365)]
TABLES = "order", "total", "sale"
EXPORT = ("smolqwery_extract", "--to", DAYS[-1])
MOST = 10
"""Of the year's commits of a table, and of the jobs that prepare them."""


@pytest.fixture
def db() -> None:
    """Instead of Django's test database, which allows a test no connection to any other."""


@pytest.fixture
def fill(make_alias: Callable[[str, dict[str, Any]], str], tmp_path: Path) -> Callable[[bool], None]:
    """The databases: one that the QuerySets read, and shelves. An aggregated day has a row, whatever there is."""

    def fill(has_rows: bool) -> None:  # noqa: FBT001 - a case
        configuration = database(str(tmp_path / "shop.sqlite3"))
        make_alias("writer", configuration)
        make_items("writer")
        for number, day in enumerate(DAYS):
            shop.totals.put(day, Total(orders=number))
            if has_rows:
                shop.orders.put(day, order(day, number))
        if has_rows:
            put("writer", *({"at": instant(day), "small": number} for number, day in enumerate(DAYS)))
        make_alias("shop", configuration)

    return fill


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("has_rows", [True, False], ids=["a row a day", "no rows"])
def test_a_year_of_three_small_tables(  # noqa: PLR0913, PLR0917 - fixtures and a case
    make_faulty_warehouse: MakeWarehouse,
    run_command: RunCommand,
    server: FaultServer,
    fill: Callable[[bool], None],
    has_rows: bool,  # noqa: FBT001 - a case
    workers: str,
) -> None:
    """1,095 days of tables. Those without rows need no commit at all."""
    warehouse = make_faulty_warehouse(OrderExtractor, TotalExtractor, SaleExtractor)
    fill(has_rows)

    result = run_command(*EXPORT, "--workers", workers)

    assert (len(result.stdout.splitlines()) <= MOST * len(TABLES), *result[1:]) == (True, "", 0)
    commits = {table: server.script.count("commit", table=table) for table in TABLES}
    prepares = Counter(server.jobs.given("table_id", job="smolqwery-prepare-"))
    assert max(*commits.values(), *prepares.values()) <= MOST, (commits, prepares)
    assert [bool(commits[table]) for table in TABLES] == [has_rows, True, has_rows]
    assert sorted(prepares) == sorted(TABLES)

    instants = [instant(day) for day in DAYS]
    rows = {table: [tuple(row.values()) for row in server.rows(table)] for table in TABLES}
    assert sorted(rows["total"]) == [(date.fromisoformat(day), number) for number, day in enumerate(DAYS)]
    assert sorted(rows["order"]) == [(at, number, None) for number, at in enumerate(instants) if has_rows]
    assert sorted(rows["sale"]) == [(at, number) for number, at in enumerate(instants) if has_rows]
    for table in TABLES:
        rows_a_day = int(has_rows or table == "total")
        prepared = warehouse.ledger(
            "`day`, `row_count`, `generation`",
            f"WHERE `table_id` = '{table}' AND `event` = 'prepared' ORDER BY `day`",
        )
        assert prepared == [(date.fromisoformat(day), rows_a_day, 0) for day in DAYS]
        committed = warehouse.ledger(
            "COUNT(DISTINCT `day`), COUNT(*)", f"WHERE `table_id` = '{table}' AND `event` = 'committed'"
        )
        assert committed == [(365 * rows_a_day,) * 2]
