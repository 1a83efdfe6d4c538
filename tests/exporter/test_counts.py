"""Rows of a table, counted by windows of its date column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from emulator.clients import field
from exporter import WarehouseError
from exporter.conf import load_settings
from exporter.counts import newest, rows_between, rows_by_bound
from exporter.warehouse import Warehouse
from exporter_cases.shop import OrderExtractor

if TYPE_CHECKING:
    from conftest import MakeWarehouse
    from emulator.warehouse import WarehouseCopy

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def copy(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    """A table of instants and days that may be NULL, beside one without rows."""
    copy = make_warehouse(OrderExtractor)
    copy.make_table("visit", [field("at", "TIMESTAMP"), field("day", "DATE")], dataset=copy.dataset)
    copy.sql(
        f"""INSERT INTO `{copy.name("visit")}` (`at`, `day`) VALUES
        (TIMESTAMP '2025-03-09 04:59:59.999999+00', DATE '2025-03-08'),
        (TIMESTAMP '2025-03-09 05:00:00+00', DATE '2025-03-09'),
        (TIMESTAMP '2025-03-10 03:59:59.999999+00', DATE '2025-03-09'),
        (TIMESTAMP '2025-03-10 04:00:00+00', DATE '2025-03-10'),
        (NULL, NULL)"""
    )
    return copy


@pytest.fixture
def warehouse(copy: WarehouseCopy) -> Warehouse:
    del copy
    return Warehouse(load_settings())


def local(day: int) -> datetime:
    """A midnight in New York, around the one day of March that has 23 hours."""
    return datetime(2025, 3, day, tzinfo=NEW_YORK)


def test_instants_by_the_bounds_of_local_days(warehouse: Warehouse) -> None:
    found = rows_by_bound(warehouse, "visit", "at", [local(8), local(9), local(10), local(11)])

    assert found == {1: 1, 2: 2, 3: 1, None: 1}


def test_dates_before_and_after_all_bounds(warehouse: Warehouse) -> None:
    found = rows_by_bound(warehouse, "visit", "day", [date(2025, 3, 9), date(2025, 3, 10)])

    assert found == {0: 1, 1: 2, 2: 1, None: 1}


def test_bounds_that_are_equal_have_nothing_between_them(warehouse: Warehouse) -> None:
    found = rows_by_bound(warehouse, "visit", "day", [date(2025, 3, 9), date(2025, 3, 10), date(2025, 3, 10)])

    assert found == {0: 1, 1: 2, 3: 1, None: 1}


def test_rows_between_bounds(warehouse: Warehouse) -> None:
    assert rows_between(warehouse, "visit", "at", local(9), local(10)) == 2
    assert rows_between(warehouse, "visit", "day", date(2025, 3, 8), date(2025, 3, 10)) == 3
    assert rows_between(warehouse, "visit", "day", date(2025, 3, 11), date(2025, 3, 12)) == 0


def test_the_newest(warehouse: Warehouse) -> None:
    assert newest(warehouse, "visit", "at") == datetime(2025, 3, 10, 4, tzinfo=UTC)
    assert newest(warehouse, "visit", "day") == date(2025, 3, 10)


def test_a_table_without_rows(warehouse: Warehouse) -> None:
    assert newest(warehouse, "order", "timestamp") is None
    assert rows_by_bound(warehouse, "order", "timestamp", [local(9)]) == {}
    assert rows_between(warehouse, "order", "timestamp", local(9), local(10)) == 0


def test_a_table_that_is_missing(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match=f"^{warehouse.name('visits')}: BigQuery refuses the call"):
        rows_between(warehouse, "visits", "day", date(2025, 3, 8), date(2025, 3, 10))
