"""The delta view's SQL, run: what each day added, and no spike where a day is missing, doubled or NULL."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from textwrap import dedent
from typing import Any
from uuid import uuid4

from google.cloud import bigquery

from codegen.introspect import DeltaView, Table, Warehouse
from codegen.render import render
from exporter.annotations import Mode, Type
from exporter.schema import Column


def column(name: str, column_type: Type, *, differentiate: bool = False) -> Column:
    mode = Mode.REQUIRED if name == "at" else Mode.NULLABLE
    return Column(name=name, type=column_type, mode=mode, differentiate=differentiate, python_type=None)


# Columns named like the table, like the window and like keywords of SQL.
ORDERS = Table(
    name="orders",
    source="shop.extractors.OrdersExtractor",
    description="",
    columns=(
        column("at", Type.DATE),
        column("orders", Type.INTEGER, differentiate=True),
        column("select", Type.NUMERIC, differentiate=True),
        column("weight", Type.FLOAT, differentiate=True),
        column("previous_days", Type.STRING),
        column("group", Type.INTEGER),
    ),
    partitioning=None,
    clustering=(),
    delta_view=DeltaView(name="orders_delta", date_column="at"),
)


def test_running_totals_become_what_each_day_added(bigquery_client: bigquery.Client) -> None:
    totals = [10, 20, 35, None, 50]
    days = [date(2025, 1, day) for day in (1, 2, 3, 4, 7)]

    deltas = _deltas(bigquery_client, [(day, total) for day, total in zip(days, totals, strict=True)])

    assert [row.orders for row in deltas] == [10, 10, 15, None, 15]
    ten, fifteen = Decimal("10.5"), Decimal("15.75")
    assert [row.select for row in deltas] == [ten, ten, fifteen, None, fifteen]
    assert [row.weight for row in deltas] == [2.5, 2.5, 3.75, None, 3.75]
    assert [(row.at, row.previous_days, row.group) for row in deltas] == [(day, "as it is", 7) for day in days]


def test_a_first_day_without_a_total_adds_nothing(bigquery_client: bigquery.Client) -> None:
    deltas = _deltas(bigquery_client, [(date(2025, 1, 1), None), (date(2025, 1, 2), 5), (date(2025, 1, 3), 4)])

    assert [row.orders for row in deltas] == [None, 5, -1]


def test_a_day_that_is_there_twice_adds_once(bigquery_client: bigquery.Client) -> None:
    deltas = _deltas(bigquery_client, [(date(2025, 1, 1), 5), (date(2025, 1, 2), 8), (date(2025, 1, 2), 8)])

    assert [row.orders for row in deltas] == [5, 3, 0]


def _deltas(client: bigquery.Client, totals: list[tuple[date, int | None]]) -> list[Any]:
    dataset = f"d{uuid4().hex[:12]}"
    files = render(Warehouse(dataset=dataset, location="EU", acl_groups=(), reader_groups=(), tables=(ORDERS,)))
    client.create_dataset(dataset)
    table = bigquery.Table(f"{client.project}.{dataset}.orders", schema=json.loads(files["schemas/orders.json"]))
    client.create_table(table)
    values = ", ".join(
        f"(DATE '{day}', NULL, NULL, NULL, 'as it is', 7)"
        if total is None
        else f"(DATE '{day}', {total}, NUMERIC '{Decimal(total) * Decimal('1.05')}', {total / 4}, 'as it is', 7)"
        for day, total in totals
    )
    client.query(f"INSERT INTO `{dataset}.orders` VALUES {values}", job_retry=None).result()

    view = bigquery.Table(f"{client.project}.{dataset}.orders_delta")
    view.view_query = _query(files["table_orders.tf"], project=table.project, dataset_id=dataset, table_id="orders")
    client.create_table(view)
    return list(client.query(f"SELECT * FROM `{dataset}.orders_delta` ORDER BY `at`", job_retry=None).result())


def _query(terraform: str, **attributes: str) -> str:
    """The view's SQL, as Terraform would send it for a table with these attributes."""
    found = re.search(r"<<-SQL\n(.*?\n)    SQL\n", terraform, flags=re.DOTALL)
    assert found
    return re.sub(r"\$\{google_bigquery_table\.orders\.(\w+)\}", lambda match: attributes[match[1]], dedent(found[1]))
