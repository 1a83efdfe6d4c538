"""`manage.py smolqwery_extract` in the tasks of a Cloud Run execution: each table is exported by one of them, once."""

from __future__ import annotations

import json
import threading
from itertools import permutations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from exporter.task_share import TaskShare
from exporter_cases import shop
from exporter_cases.shop import DailyExtractor, OrderExtractor, Total, TotalExtractor, order
from faults.moments import another_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from conftest import Ended, MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

    RunTask = Callable[..., Ended]

DAY = "2025-01-01"
EXPORT = ("smolqwery_extract", "--to", DAY)
EXECUTION = "export-x7k2p"
BOTH = "Cloud Run sets both: a task's number, from 0 on, and how many there are. Unset both to export all tables."


@pytest.fixture
def warehouse(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    """Tables `order`, `total` and `daily`, with a row for each; `daily` is dealt first, then `order`, then `total`."""
    made = make_warehouse(OrderExtractor, TotalExtractor, DailyExtractor)
    shop.orders.put(DAY, order(DAY, 1))
    return made


@pytest.fixture(autouse=True)
def totals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks: the shelf is that of one table."""
    monkeypatch.setattr(TotalExtractor, "extract", lambda *_: [Total(orders=1)])
    monkeypatch.setattr(DailyExtractor, "extract", lambda *_: [shop.Daily(orders=1)])


@pytest.fixture
def run_task(run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> RunTask:
    def run(index: object, count: object, *argv: str) -> Ended:
        become(monkeypatch, index, count)
        return run_command(*(argv or EXPORT))

    return run


def become(monkeypatch: pytest.MonkeyPatch, index: object, count: object) -> None:
    """What Cloud Run says to the tasks of one execution; None is not said."""
    monkeypatch.setenv("CLOUD_RUN_EXECUTION", EXECUTION)
    for name, value in (("CLOUD_RUN_TASK_INDEX", index), ("CLOUD_RUN_TASK_COUNT", count)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(value))


def exported(*tables: str) -> str:
    return "".join(f"{table}  {DAY}  1 row  committed  0.0 s\n" for table in tables)


def require_each_once(warehouse: WarehouseCopy) -> None:
    """Its row, and what the ledger knows of it, by the one execution."""
    tables = "daily", "order", "total"
    assert [warehouse.rows(table, "COUNT(*)", clauses="") for table in tables] == [[(1,)]] * 3
    columns = "`table_id`, COUNTIF(`event` = 'prepared'), COUNTIF(`event` = 'committed'), MIN(`run_id`), MAX(`run_id`)"
    assert warehouse.ledger(columns, "GROUP BY `table_id` ORDER BY 1") == [
        (table, 1, 1, EXECUTION, EXECUTION) for table in tables
    ]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, [exported("order", "total", "daily")]),
        (
            2,
            [
                "task 1 of 2 (index 0): 2 of 3 tables\n" + exported("total", "daily"),
                "task 2 of 2 (index 1): 1 of 3 tables\n" + exported("order"),
            ],
        ),
        (
            4,
            [
                "task 1 of 4 (index 0): 1 of 3 tables\n" + exported("daily"),
                "task 2 of 4 (index 1): 1 of 3 tables\n" + exported("order"),
                "task 3 of 4 (index 2): 1 of 3 tables\n" + exported("total"),
                "task 4 of 4 (index 3): none of 3 tables, nothing to do\n",
            ],
        ),
    ],
)
def test_the_tasks_together_export_each_table_once(
    warehouse: WarehouseCopy, run_task: RunTask, count: int, said: list[str]
) -> None:
    results = [run_task(index, count) for index in range(count)]

    assert results == [(stdout, "", 0) for stdout in said]
    require_each_once(warehouse)


def test_the_order_of_the_extractors_does_not_matter(
    warehouse: WarehouseCopy, run_task: RunTask, settings: Settings
) -> None:
    """Nor do the tasks, in what order they begin."""
    second = run_task(1, 2)
    settings.SMOLQWERY_EXTRACTORS = settings.SMOLQWERY_EXTRACTORS[::-1]
    first = run_task(0, 2)

    assert (first.stdout, second.stdout) == (
        "task 1 of 2 (index 0): 2 of 3 tables\n" + exported("daily", "total"),
        "task 2 of 2 (index 1): 1 of 3 tables\n" + exported("order"),
    )
    require_each_once(warehouse)


@pytest.mark.parametrize("count", range(1, 7))
def test_shares_are_whole_apart_and_alike_in_size(count: int) -> None:
    shares = {
        tuple(
            tuple(sorted(one.get_table_name() for one in TaskShare(index=index, count=count).of(extractors)))
            for index in range(count)
        )
        for names in permutations("abcde")
        for extractors in [[cast("Any", SimpleNamespace(get_table_name=lambda name=name: name)) for name in names]]
    }

    (share,) = shares  # whatever the order
    assert sorted(name for task in share for name in task) == list("abcde")
    assert max(map(len, share)) - min(map(len, share)) <= 1


def test_a_task_without_tables_asks_nobody(
    warehouse: WarehouseCopy, run_task: RunTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends well without credentials, and where no BigQuery is."""
    for name in warehouse.clients.emulator.environ:
        monkeypatch.delenv(name)

    result = run_task(3, 4)

    assert result == ("task 4 of 4 (index 3): none of 3 tables, nothing to do\n", "", 0)


def test_the_other_options(warehouse: WarehouseCopy, run_task: RunTask) -> None:
    """Of the tables that are named, and of no other."""
    named = ("smolqwery_extract", "total", "order", "--to", DAY, "--workers", "2")

    dry = [run_task(index, 2, *named, "--dry-run") for index in (0, 1)]
    nothing = warehouse.ledger("*")
    done = [run_task(index, 2, *named) for index in (0, 1)]
    shop.orders.put(DAY, order(DAY, 2))
    replaced = [run_task(index, 2, *named, "--replace", "--from", DAY) for index in (0, 1)]
    alone = run_task(1, 2, "smolqwery_extract", "daily", "--to", DAY)
    silent = run_task(0, 2, *EXPORT, "--verbosity", "0")

    said = [f"task {number} of 2 (index {number - 1}): 1 of 2 tables\n" for number in (1, 2)]
    tables = "order", "total"
    assert [result.stdout for result in dry] == [
        f"{said[place]}{table}  {DAY}  1 row  would commit  0.0 s\n" for place, table in enumerate(tables)
    ]
    assert nothing == []
    assert [result.stdout for result in done] == [
        f"{said[place]}{exported(table)}" for place, table in enumerate(tables)
    ]
    assert [result.stdout for result in replaced] == [
        f"{said[0]}order  {DAY}  2 rows  replaced  0.0 s\n",
        f"{said[1]}total  {DAY}  1 row  replaced  0.0 s\n",
    ]
    assert alone == ("task 2 of 2 (index 1): none of 1 table, nothing to do\n", "", 0)
    assert silent[:2] == ("", "")
    assert warehouse.rows("order", "number") == [(1,), (2,)]


def test_a_task_that_failed_is_tried_again(
    warehouse: WarehouseCopy, run_task: RunTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same execution, with the same share: it goes on, and counts its own tables."""
    extract = TotalExtractor.extract
    monkeypatch.setattr(TotalExtractor, "extract", lambda *_: None)
    first = [run_task(index, 2) for index in (0, 1)]
    monkeypatch.setattr(TotalExtractor, "extract", extract)
    monkeypatch.setenv("CLOUD_RUN_TASK_ATTEMPT", "1")
    again = run_task(0, 2)

    assert first[0].stdout == "task 1 of 2 (index 0): 2 of 3 tables\n" + exported("daily")
    assert first[0].stderr.startswith("total failed.\nexporter_cases.shop.TotalExtractor, 2025-01-01: ")
    assert first[0].stderr.endswith("\nExported 1 of 2 tables. Failed: total.\n")
    assert [result.exit_code for result in first] == [1, 0]
    assert again == (
        f"task 1 of 2 (index 0): 2 of 3 tables\n{exported('total')}daily  nothing new, exported to {DAY}\n",
        "",
        0,
    )
    require_each_once(warehouse)


def test_tasks_that_disagree_export_a_table_once(
    warehouse: WarehouseCopy, run_task: RunTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that knows of fewer tasks, as after a deployment: while it reads a table, those of two export all of them."""
    others: list[str] = []

    def meanwhile() -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for index, count in ((1, 2), (0, 2)):
            become(monkeypatch, index, count)
            task = threading.Thread(target=lambda: others.append(another_run(*EXPORT)))
            task.start()
            task.join()

    shop.orders.put(DAY, meanwhile)

    result = run_task(0, 1)

    assert others == [
        "task 2 of 2 (index 1): 1 of 3 tables\n" + exported("order"),
        "task 1 of 2 (index 0): 2 of 3 tables\n" + exported("total", "daily"),
    ]
    assert result == (
        f"order  {DAY}  1 row  committed by another run  0.0 s\n"
        f"total  nothing new, exported to {DAY}\n"
        f"daily  nothing new, exported to {DAY}\n",
        "",
        0,
    )
    require_each_once(warehouse)


def test_json_lines_say_the_share(warehouse: WarehouseCopy, run_task: RunTask, monkeypatch: pytest.MonkeyPatch) -> None:
    del warehouse
    monkeypatch.setenv("CLOUD_RUN_JOB", "export")

    share, unit = map(json.loads, run_task(1, 3).stdout.splitlines())
    alone = run_task(0, 1)

    assert share == {
        "severity": "INFO",
        "message": "task 2 of 3 (index 1): 1 of 3 tables",
        "run_id": EXECUTION,
        "task_index": 1,
        "task_count": 3,
        "tables": 1,
        "of_tables": 3,
    }
    assert (unit["table"], unit["run_id"]) == ("order", EXECUTION)
    assert "task_index" not in alone.stdout


@pytest.mark.parametrize(
    ("index", "count", "problem"),
    [
        (0, None, "CLOUD_RUN_TASK_COUNT: is not set, but CLOUD_RUN_TASK_INDEX is."),
        (None, 2, "CLOUD_RUN_TASK_INDEX: is not set, but CLOUD_RUN_TASK_COUNT is."),
        ("one", 2, "CLOUD_RUN_TASK_INDEX: is 'one', not a number."),
        (-1, 2, "CLOUD_RUN_TASK_INDEX: is '-1', not a number."),
        ("", 2, "CLOUD_RUN_TASK_INDEX: is '', not a number."),
        (0, "2.0", "CLOUD_RUN_TASK_COUNT: is '2.0', not a number."),
        (0, "²", "CLOUD_RUN_TASK_COUNT: is '²', not a number."),
        (2, 2, "CLOUD_RUN_TASK_INDEX: is 2, but there is no such task of 2."),
        (0, 0, "CLOUD_RUN_TASK_INDEX: is 0, but CLOUD_RUN_TASK_COUNT is 0."),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    warehouse: WarehouseCopy, run_task: RunTask, index: object, count: object, problem: str
) -> None:
    result = run_task(index, count)

    assert result == ("", f"{problem}\n  {BOTH}\n", 2)
    assert shop.orders.asked == []
    assert warehouse.ledger("*") == []
