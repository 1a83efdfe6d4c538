"""`manage.py smolqwery_print_extract`, from outside, without BigQuery and without credentials."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from exporter_cases import everything, shop
from exporter_cases.shop import Total, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from conftest import RunCommand

pytestmark = pytest.mark.usefixtures("no_cloud")


@pytest.fixture(autouse=True)
def _shop(settings: Settings) -> None:
    settings.SMOLQWERY_EXTRACTORS = ["exporter_cases.shop.OrderExtractor", "exporter_cases.shop.TotalExtractor"]
    shop.orders.put("2025-01-01", order("2025-01-01", 1, customer="Ada, Countess"))
    shop.orders.put("2025-01-02", order("2025-01-02", 2))
    shop.totals.put("2025-01-01", Total(orders=1))
    shop.totals.put("2025-01-02", Total(orders=2))


def test_as_tables(run_command: RunCommand) -> None:
    result = run_command("smolqwery_print_extract", "-f", "2025-01-01", "-l", "2025-01-02")

    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines == [
        "order",
        "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━━━━━┓",
        "┃ timestamp                 ┃ number ┃ customer      ┃",
        "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━━━━━┩",
        "│ 2025-01-01 17:00:00+00:00 │ 1      │ Ada, Countess │",
        "│ 2025-01-02 17:00:00+00:00 │ 2      │               │",
        "└───────────────────────────┴────────┴───────────────┘",
        "total",
        "┏━━━━━━━━━━━━┳━━━━━━━━┓",
        "┃ date       ┃ orders ┃",
        "┡━━━━━━━━━━━━╇━━━━━━━━┩",
        "│ 2025-01-01 │ 1      │",
        "│ 2025-01-02 │ 2      │",
        "└────────────┴────────┘",
    ]
    assert result[1:] == ("", 0)


def test_as_json_lines(run_command: RunCommand) -> None:
    result = run_command("smolqwery_print_extract", "-f", "2025-01-01", "-l", "2025-01-01", "--format", "json")

    assert result == (
        '{"table": "order", "row": {"timestamp": "2025-01-01 17:00:00+00:00", "number": 1, '
        '"customer": "Ada, Countess"}}\n'
        '{"table": "total", "row": {"date": "2025-01-01", "orders": 1}}\n',
        "",
        0,
    )


def test_as_csv(run_command: RunCommand) -> None:
    result = run_command("smolqwery_print_extract", "order", "-f", "2025-01-01", "-l", "2025-01-02", "--format", "csv")

    assert result == (
        'timestamp,number,customer\n2025-01-01 17:00:00+00:00,1,"Ada, Countess"\n2025-01-02 17:00:00+00:00,2,\n',
        "",
        0,
    )


def test_csv_is_one_table(run_command: RunCommand) -> None:
    result = run_command("smolqwery_print_extract", "-l", "2025-01-01", "--format", "csv")

    assert result == ("", "--format csv prints one table. Name one of: order, total.\n", 2)


def test_every_type(run_command: RunCommand, settings: Settings) -> None:
    settings.SMOLQWERY_EXTRACTORS = ["exporter_cases.everything.SampleExtractor"]

    printed = run_command("smolqwery_print_extract", "-l", "2025-01-01")
    as_json = run_command("smolqwery_print_extract", "-l", "2025-01-01", "--format", "json")
    as_csv = run_command("smolqwery_print_extract", "-l", "2025-01-01", "--format", "csv")

    assert [result[1:] for result in (printed, as_json, as_csv)] == [("", 0)] * 3
    full, sparse = (json.loads(line)["row"] for line in as_json.stdout.splitlines())
    assert full["data"] == "00ff"
    assert full["nested"]["legs"] == [1, 2]
    assert [name for name, value in sparse.items() if value is None] == [
        name for name in everything.Sample.__annotations__ if name.startswith("optional_")
    ]
    (header, *rows) = csv.reader(io.StringIO(as_csv.stdout))
    assert (header, len(rows)) == (list(full), 2)


def test_yesterday_is_the_default(run_command: RunCommand, set_clock: Callable[[str], None]) -> None:
    set_clock("2025-01-03T00:30:00-05:00")

    result = run_command("smolqwery_print_extract", "total", "--format", "csv")

    assert result == ("date,orders\n2025-01-02,2\n", "", 0)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-f", "garbage"], "--first-date garbage: not a date. Write it as 2025-01-31."),
        (["-l", "2025-02-30"], "--last-date 2025-02-30: not a date. Write it as 2025-01-31."),
        (
            ["-f", "2025-01-02", "-l", "2025-01-01"],
            "--first-date 2025-01-02 is after --last-date 2025-01-01. Swap them.",
        ),
        (["ordr"], "'ordr' is not a table of SMOLQWERY_EXTRACTORS. Tables: order, total."),
    ],
)
def test_usage_errors(run_command: RunCommand, arguments: list[str], problem: str) -> None:
    result = run_command("smolqwery_print_extract", *arguments)

    assert result == ("", f"{problem}\n", 2)
    assert shop.orders.asked == []


def test_a_row_that_an_export_would_refuse(run_command: RunCommand) -> None:
    shop.orders.put("2025-01-01", order("2025-01-01", 2**63))

    result = run_command("smolqwery_print_extract", "order", "-l", "2025-01-01", "--format", "csv")

    assert result == (
        "timestamp,number,customer\n",
        "exporter_cases.shop.OrderExtractor, 2025-01-01, row 2, column number: "
        "9223372036854775808 does not fit into 64 bits.\n"
        "  Annotate the field with Decimal or str instead of int.\n",
        1,
    )


def test_a_day_at_the_end_of_the_calendar_is_refused(run_command: RunCommand) -> None:
    result = run_command("smolqwery_print_extract", "-f", "9999-12-31", "-l", "9999-12-31")

    assert result == ("", "--first-date 9999-12-31: days go from 0002-01-01 to 9998-12-31.\n", 2)
