"""`manage.py smolqwery_extract` when the ledger or the tables are not what it needs: refused before a row is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conftest import Ended
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, order

if TYPE_CHECKING:
    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

APPLY = "Run `make codegen` and apply Terraform, then run this again."
DEPLOY = "Run `make codegen` and apply Terraform, or deploy the code that fits the table."


@pytest.fixture
def warehouse(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    return make_warehouse(OrderExtractor)


def _refused(warehouse: WarehouseCopy, problem: str, remedy: str, place: str = "") -> Ended:
    """How a run ends that failed for its only table."""
    error = f"{warehouse.name('order')}{place}: {problem}\n  {remedy}\n"
    return Ended("", f"order failed.\n{error}Exported 0 of 1 tables. Failed: order.\n", 1)


def test_a_first_date_before_the_first_exported_day(
    warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings
) -> None:
    run_command("smolqwery_extract", "--to", "2025-01-01")
    settings.SMOLQWERY_FIRST_DATE = "2024-12-30"

    result = run_command("smolqwery_extract", "--to", "2025-01-02")

    assert result == _refused(
        warehouse,
        "SMOLQWERY_FIRST_DATE 2024-12-30 is before the first exported day, 2025-01-01: earlier days cannot be added.",
        "Set it to 2025-01-01, or export into a new table (a new dataclass name gives one).",
    )
    assert shop.orders.asked == ["2025-01-01"]


def test_a_later_first_date_leaves_no_gap(
    warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings
) -> None:
    del warehouse
    run_command("smolqwery_extract", "--to", "2025-01-01")
    settings.SMOLQWERY_FIRST_DATE = "2025-01-03"

    result = run_command("smolqwery_extract", "--to", "2025-01-03")

    assert result == ("order  2025-01-02 to 2025-01-03  0 rows  committed  0.0 s\n", "", 0)


def test_another_time_zone(warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings) -> None:
    run_command("smolqwery_extract", "--to", "2025-01-01")
    settings.TIME_ZONE = "Europe/Paris"

    result = run_command("smolqwery_extract", "--to", "2025-01-02")

    assert result == _refused(
        warehouse,
        "its days are local to America/New_York, and TIME_ZONE is Europe/Paris now: days would overlap.",
        "Set TIME_ZONE back to 'America/New_York', or export into a new table.",
    )


def test_what_is_known_of_a_dropped_table_does_not_count(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    run_command("smolqwery_extract", "--to", "2025-01-02")
    warehouse.drop_table("order")
    warehouse.make_table("order")

    result = run_command("smolqwery_extract", "--to", "2025-01-02")

    assert result == ("order  2025-01-01 to 2025-01-02  1 row  committed  0.0 s\n", "", 0)
    assert warehouse.rows("order", "number") == [(1,)]


def test_a_table_that_is_missing_until_terraform_is_applied(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.totals.put("2025-01-01", Total(orders=1))
    warehouse.drop_table("order")

    first = run_command("smolqwery_extract", "--to", "2025-01-01")
    warehouse.make_table("order")
    second = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert first == (
        "total  2025-01-01  1 row  committed  0.0 s\n",
        f"order failed.\n{warehouse.name('order')}: not in BigQuery: the exporter makes no tables.\n  {APPLY}\n"
        "Exported 1 of 2 tables. Failed: order.\n",
        1,
    )
    assert second == (
        "order  2025-01-01  0 rows  committed  0.0 s\ntotal  nothing new, exported to 2025-01-01\n",
        "",
        0,
    )


def test_a_dataset_that_is_missing(warehouse: WarehouseCopy, run_command: RunCommand, settings: Settings) -> None:
    settings.SMOLQWERY_DATASET = f"{warehouse.dataset}_not_yet"

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    name = f"{warehouse.clients.emulator.project}.{warehouse.dataset}_not_yet.order"
    assert result == (
        "",
        f"order failed.\n{name}: not in BigQuery: the exporter makes no tables.\n  {APPLY}\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )


def test_a_ledger_that_is_missing(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    warehouse.drop_table("ledger", dataset=f"{warehouse.dataset}_exporter")

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == (
        "",
        f"{warehouse.ledger_name}: not in BigQuery: it is the exporter's record.\n  {APPLY}\n",
        1,
    )
    assert shop.orders.asked == []


TIMESTAMP = {"name": "timestamp", "type": "TIMESTAMP", "mode": "REQUIRED"}
NUMBER = {"name": "number", "type": "INTEGER", "mode": "REQUIRED"}
CUSTOMER = {"name": "customer", "type": "STRING", "mode": "NULLABLE"}


@pytest.mark.parametrize(
    ("schema", "column", "problem", "remedy"),
    [
        pytest.param(
            [TIMESTAMP, NUMBER],
            "customer",
            "not in BigQuery; the dataclass has it as NULLABLE STRING.",
            DEPLOY,
            id="missing",
        ),
        pytest.param(
            [TIMESTAMP, NUMBER | {"type": "STRING"}, CUSTOMER],
            "number",
            "REQUIRED STRING in BigQuery; the dataclass has REQUIRED INTEGER.",
            DEPLOY,
            id="of another type",
        ),
        pytest.param(
            [TIMESTAMP, NUMBER, CUSTOMER | {"mode": "REQUIRED"}],
            "customer",
            "REQUIRED STRING in BigQuery; the dataclass has NULLABLE STRING.",
            DEPLOY,
            id="stricter",
        ),
        pytest.param(
            [TIMESTAMP, NUMBER, CUSTOMER | {"mode": "REPEATED"}],
            "customer",
            "REPEATED STRING in BigQuery; the dataclass has NULLABLE STRING.",
            DEPLOY,
            id="a list",
        ),
        pytest.param(
            [TIMESTAMP, NUMBER, CUSTOMER, {"name": "shop", "type": "STRING", "mode": "REQUIRED"}],
            "shop",
            "REQUIRED STRING in BigQuery, and the dataclass does not have it.",
            "Add the field to the dataclass, or make the column NULLABLE with Terraform.",
            id="unknown and REQUIRED",
        ),
    ],
)
def test_a_column_that_does_not_fit(  # noqa: PLR0913, PLR0917 - a case
    warehouse: WarehouseCopy,
    run_command: RunCommand,
    schema: list[dict[str, Any]],
    column: str,
    problem: str,
    remedy: str,
) -> None:
    warehouse.drop_table("order")
    warehouse.make_table("order", schema)

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == _refused(warehouse, problem, remedy, place=f", column {column}")
    assert shop.orders.asked == []


def test_columns_that_only_bigquery_has_stay_empty(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    """So a schema change rolls out: the table first, the image second."""
    warehouse.drop_table("order")
    shop_column = {"name": "shop", "type": "STRING", "mode": "NULLABLE"}
    tags_column = {"name": "tags", "type": "STRING", "mode": "REPEATED"}
    warehouse.make_table("order", [shop_column, TIMESTAMP, NUMBER, CUSTOMER, tags_column])
    shop.orders.put("2025-01-01", order("2025-01-01", 1, customer="Ada"))

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    name = warehouse.name("order")
    assert result == (
        "order  2025-01-01  1 row  committed  0.0 s\n",
        f"order: {name}, column shop: only in BigQuery, it stays NULL.\n"
        f"order: {name}, column tags: only in BigQuery, it stays empty.\n",
        0,
    )
    assert warehouse.rows("order", "`shop`, `number`, `customer`, `tags`") == [(None, 1, "Ada", [])]


def test_a_looser_mode_and_another_case_are_fine(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    warehouse.drop_table("order")
    number = {"name": "Number", "type": "INT64", "mode": "NULLABLE"}
    warehouse.make_table("order", [TIMESTAMP, number, CUSTOMER])
    shop.orders.put("2025-01-01", order("2025-01-01", 1))

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == ("order  2025-01-01  1 row  committed  0.0 s\n", "", 0)
    assert warehouse.rows("order", "`Number`") == [(1,)]
