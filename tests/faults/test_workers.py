"""`smolqwery_extract --workers 2`, interrupted while one table does something: both stop, what commits finishes."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connections

from exporter import workers
from exporter_cases import shop
from exporter_cases.shop import DailyExtractor, OrderExtractor, Total, TotalExtractor, order
from faults.endings import OWN_THREADS
from faults.script import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

EXPORT = ("smolqwery_extract", "--to", "2025-01-01", "--workers", "2")
INTERRUPTED = (
    "Interrupted. Units that were reported are committed, of the one that was being read nothing is visible.\n"
    "  Run the command again: it goes on with the first open day.\n"
)
BY_TABLE = "order", "total"
MEET_SECONDS = 30.0
NOTICED_SECONDS = 1.0
"""Until the main thread has run the handler: ten times what it takes."""


@pytest.fixture
def warehouse(make_faulty_warehouse: MakeWarehouse) -> WarehouseCopy:
    made = make_faulty_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.totals.put("2025-01-01", Total(orders=1))
    return made


def when(reached: threading.Event) -> Callable[[], None]:
    """SIGTERM, while the other table does what it is to do."""

    def interrupt() -> None:
        assert reached.wait(MEET_SECONDS)
        signal.raise_signal(signal.SIGTERM)
        time.sleep(NOTICED_SECONDS)

    return interrupt


@pytest.mark.parametrize(
    ("step", "word"),
    [("open", "silence"), ("append", "silence"), ("append", "UNAVAILABLE"), ("finalize", "silence")],
)
def test_while_a_stream_waits(
    warehouse: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, word: str
) -> None:
    before = {*threading.enumerate()}
    fault = server.fail(step, with_=word, table="order", times=FOREVER)
    shop.totals.put("2025-01-01", when(fault.reached))

    result = run_command(*EXPORT)

    assert result == ("", INTERRUPTED, 1)
    _require_nothing_left(warehouse, run_command, fault.end)
    assert _threads_since(before) == []  # a call that nobody can end has had its answer


def test_while_a_unit_is_committed(warehouse: WarehouseCopy, run_command: RunCommand, server: FaultServer) -> None:
    """It finishes first; of the other table nothing is prepared."""
    fault = server.fail("commit", with_="late", table="order", seconds=2.0)
    shop.totals.put("2025-01-01", when(fault.reached))

    result = run_command(*EXPORT)

    assert result == ("order  2025-01-01  1 row  committed  0.0 s\n", INTERRUPTED, 1)
    assert warehouse.ledger("`table_id`, `event`") == [("order", "prepared"), ("order", "committed")]
    _require_nothing_left(warehouse, run_command, lambda: None)


def test_while_the_tables_are_looked_up(warehouse: WarehouseCopy, run_command: RunCommand, server: FaultServer) -> None:
    """Nobody can end such a call. Nobody waits for it."""
    fault = server.fail("table", with_="silence", table="order")
    interrupt = threading.Thread(target=when(fault.reached))
    interrupt.start()

    result = run_command(*EXPORT)
    interrupt.join()

    assert result == ("", INTERRUPTED, 1)
    _require_nothing_left(warehouse, run_command, fault.end)


def test_while_an_extractor_does_not_end(
    warehouse: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left alone, and what it still yields goes nowhere."""
    monkeypatch.setattr(workers, "_STOP_SECONDS", 0.2)
    before = {*threading.enumerate()}
    begun, released = threading.Event(), threading.Event()
    shop.orders.put("2025-01-01", begun.set, lambda: released.wait(MEET_SECONDS) and None)
    shop.totals.put("2025-01-01", when(begun))

    result = run_command(*EXPORT)
    left = [thread.name for thread in {*threading.enumerate()} - before if thread.name.startswith("worker ")]
    released.set()

    assert result == ("", INTERRUPTED, 1)
    assert left
    assert _threads_since(before) == []
    assert warehouse.ledger("*") == []
    _require_nothing_left(warehouse, run_command, lambda: None)


def test_a_query_of_sqlite_is_cancelled(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    """One that would take an hour; and the next one, which an extractor begins that takes no error seriously."""
    before, begun, errors = {*threading.enumerate()}, threading.Event(), list[str]()

    def count(number: int) -> None:
        with connections["default"].cursor() as cursor:
            begun.set()
            try:
                cursor.execute(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT MAX(i) FROM n",
                    [number],
                )
            except DatabaseError as error:
                errors.append(str(error))

    shop.orders.put("2025-01-01", *[lambda: count(10**12)] * 2)
    shop.totals.put("2025-01-01", when(begun))

    result = run_command(*EXPORT)

    assert result == ("", INTERRUPTED, 1)
    assert errors == ["interrupted", "interrupted"]
    assert _threads_since(before) == []
    _require_nothing_left(warehouse, run_command, lambda: None)


def test_no_table_is_begun_after_it(make_faulty_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    make_faulty_warehouse(OrderExtractor, TotalExtractor, DailyExtractor)
    begun = threading.Event()
    shop.orders.put("2025-01-01", when(begun))
    shop.totals.put("2025-01-01", begun.set, lambda: time.sleep(NOTICED_SECONDS))

    result = run_command(*EXPORT)

    assert result == ("", INTERRUPTED, 1)
    assert shop.totals.asked == ["2025-01-01"]  # of two tables


def _require_nothing_left(warehouse: WarehouseCopy, run_command: RunCommand, mend: Callable[[], object]) -> None:
    """The next run completes the export, each row once."""
    mend()
    for shelf, row in ((shop.orders, order("2025-01-01", 1)), (shop.totals, Total(orders=1))):
        shelf.clear()
        shelf.put("2025-01-01", row)

    assert run_command(*EXPORT)[1:] == ("", 0)
    counts: list[Any] = [warehouse.rows(table, "COUNT(*)", clauses="") for table in BY_TABLE]
    assert counts == [[(1,)], [(1,)]]


def _threads_since(before: set[threading.Thread]) -> list[str]:
    """The exporter's own that do not end."""
    left = [thread for thread in {*threading.enumerate()} - before if thread.name.startswith((*OWN_THREADS, "worker"))]
    for thread in left:
        thread.join(10)
    return [thread.name for thread in left if thread.is_alive()]
