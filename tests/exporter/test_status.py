"""`manage.py smolqwery_status`, from outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from exporter import WriteError, commits, steps
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, order

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy


@pytest.fixture
def warehouse(make_warehouse: MakeWarehouse, set_clock: Callable[[str], None]) -> WarehouseCopy:
    """On the fifth of January. Nothing is exported yet."""
    set_clock("2025-01-05T12:00:00-05:00")
    return make_warehouse(OrderExtractor, TotalExtractor)


def refuse(*_args: object, **_kwargs: object) -> None:
    raise WriteError(location="order", problem="no answer.", remedy="Again.")


def _attention(run_command: RunCommand) -> str:
    """What the table says of the orders beside numbers, as one line."""
    lines = run_command("smolqwery_status", "order").stdout.splitlines()
    return " ".join(line.split("│")[-2].strip() for line in lines if line.startswith("│"))


def test_as_a_table(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    del warehouse
    shop.orders.put("2025-01-01", *(order("2025-01-01", number) for number in range(1234)))
    run_command("smolqwery_extract", "order", "--to", "2025-01-04")

    result = run_command("smolqwery_status")

    assert result == (
        """\
┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
┃ table ┃ first day  ┃ last day   ┃  rows ┃ lag (days) ┃ replaced days ┃ needs attention ┃
┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
│ order │ 2025-01-01 │ 2025-01-04 │ 1,234 │          0 │             0 │                 │
│ total │            │            │     0 │          4 │             0 │                 │
└───────┴────────────┴────────────┴───────┴────────────┴───────────────┴─────────────────┘
""",
        "",
        0,
    )


def test_as_json(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    del warehouse
    shop.totals.put("2025-01-01", Total(orders=1))
    run_command("smolqwery_extract", "total", "--to", "2025-01-01")

    result = run_command("smolqwery_status", "total", "--format", "json")

    assert json.loads(result.stdout) == [
        {
            "table": "total",
            "first_day": "2025-01-01",
            "last_day": "2025-01-01",
            "rows": 1,
            "lag_days": 3,
            "in_doubt": [],
            "in_doubt_since": None,
            "abandoned": [],
            "being_replaced": None,
            "replaced_days": 0,
            "adopted_day": None,
            "problem": None,
        }
    ]
    assert result[1:] == ("", 0)


@pytest.mark.parametrize(
    ("most", "problem"),
    [
        ("1", "total lags by 4 days, more than 1.\n"),
        ("3", "total lags by 4 days, more than 3.\n"),
        ("4", ""),
    ],
)
def test_max_lag(warehouse: WarehouseCopy, run_command: RunCommand, most: str, problem: str) -> None:
    del warehouse
    run_command("smolqwery_extract", "order")

    result = run_command("smolqwery_status", "--max-lag", most)

    assert result[1:] == (problem, int(bool(problem)))


def test_max_lag_is_not_negative(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    del warehouse
    result = run_command("smolqwery_status", "--max-lag", "-1")

    assert result == ("", "--max-lag -1 is negative. Give the number of days that a table may lag.\n", 2)


def test_a_table_that_is_missing(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    warehouse.drop_table("order")

    result = run_command("smolqwery_status", "--format", "json")

    problem = (
        f"{warehouse.name('order')}: not in BigQuery: the exporter makes no tables.\n"
        "  Run `make codegen` and apply Terraform, then run this again."
    )
    statuses = {status["table"]: status for status in json.loads(result.stdout)}
    assert (statuses["order"]["problem"], statuses["order"]["lag_days"]) == (problem, None)
    assert (statuses["total"]["problem"], statuses["total"]["lag_days"]) == (None, 4)
    assert result[1:] == (f"order: {problem}\n", 1)


def test_a_unit_in_doubt(warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "commit", refuse)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    run_command("smolqwery_extract", "order", "--to", "2025-01-02")

    result = run_command("smolqwery_status", "order", "--format", "json")

    ((since,),) = warehouse.ledger("MAX(`recorded_at`)", "WHERE `event` = 'prepared'")
    (status,) = json.loads(result.stdout)
    assert (status["in_doubt"], status["in_doubt_since"]) == (["2025-01-01 to 2025-01-02"], str(since))
    assert status["abandoned"] == []
    assert warehouse.rows("order") == []
    assert _attention(run_command) == f"in doubt: 2025-01-01 to 2025-01-02, since {since:%Y-%m-%d %H:%M} UTC"


def test_abandoned_days(warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    """They count neither as exported nor as in doubt, until they are exported again."""
    with monkeypatch.context() as patched:
        patched.setattr(commits, "commit", refuse)
        shop.orders.put("2025-01-01", order("2025-01-01", 1))
        run_command("smolqwery_extract", "order", "--to", "2025-01-02")
    columns = ", ".join(f"`{column['name']}`" for column in warehouse.schema("exporter_ledger"))
    abandoned = columns.replace("`event`", "'abandoned'")
    warehouse.sql(
        f"INSERT INTO `{warehouse.ledger_name}` ({columns}) SELECT {abandoned} FROM `{warehouse.ledger_name}`"
    )

    (before,) = json.loads(run_command("smolqwery_status", "order", "--format", "json").stdout)
    attention = _attention(run_command)
    run_command("smolqwery_extract", "order")
    (after,) = json.loads(run_command("smolqwery_status", "order", "--format", "json").stdout)

    kinds = ("abandoned", "in_doubt", "rows", "lag_days")
    assert [before[kind] for kind in kinds] == [["2025-01-01 to 2025-01-02"], [], 0, 4]
    assert attention == "abandoned: 2025-01-01 to 2025-01-02"
    assert [after[kind] for kind in kinds] == [[], [], 1, 0]


def test_replaced_days(warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day that is replaced twice is one day. A replacement that is not known to be done has replaced nothing yet."""
    del warehouse
    run_command("smolqwery_extract", "order")
    shop.orders.put("2025-01-02", order("2025-01-02", 1))
    for last in ("2025-01-02", "2025-01-03"):
        run_command("smolqwery_extract", "order", "--replace", "--from", "2025-01-02", "--to", last)
    with monkeypatch.context() as patched:
        patched.setattr(steps, "reached", lambda step: refuse() if step == "replacing" else None)
        run_command("smolqwery_extract", "order", "--replace", "--from", "2025-01-04", "--to", "2025-01-04")

    (begun,) = json.loads(run_command("smolqwery_status", "order", "--format", "json").stdout)
    attention = _attention(run_command)
    run_command("smolqwery_extract", "order")
    (done,) = json.loads(run_command("smolqwery_status", "order", "--format", "json").stdout)

    kinds = ("replaced_days", "being_replaced", "rows", "last_day")
    assert [begun[kind] for kind in kinds] == [2, "2025-01-04", 1, "2025-01-04"]
    assert attention == "being replaced: 2025-01-04"
    assert [done[kind] for kind in kinds] == [3, None, 1, "2025-01-04"]


def test_an_adopted_table(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor)
    warehouse.sql(f"INSERT INTO `{warehouse.name('order')}` (`timestamp`, `number`) VALUES ('2025-01-02 12:00:00', 1)")
    run_command("smolqwery_extract", "--to", "2025-01-03")

    (status,) = json.loads(run_command("smolqwery_status", "--format", "json").stdout)

    days = [status[kind] for kind in ("first_day", "last_day", "adopted_day", "rows")]
    assert days == ["2025-01-02", "2025-01-03", "2025-01-02", 1]
    assert "│ order │ 2025-01-02 (adopted) │ 2025-01-03 │    1 │" in run_command("smolqwery_status").stdout


def test_an_unknown_table(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    del warehouse
    result = run_command("smolqwery_status", "ordr")

    assert result == ("", "'ordr' is not a table of SMOLQWERY_EXTRACTORS. Tables: order, total.\n", 2)
