"""`manage.py smolqwery_extract` while opening, appending and finalizing go wrong: all rows once, or one clear error."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from exporter import patience, payloads, write_stream, write_streams
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, order
from faults.endings import case
from faults.script import FOREVER

if TYPE_CHECKING:
    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

DAYS = [f"2025-01-{number:02}" for number in range(1, 13)]
EXPORT = ("smolqwery_extract", "--to", DAYS[-1])
SAID = "as the test says."
LATE = "DEADLINE_EXCEEDED: Deadline Exceeded."
DONE = ("order  2025-01-01 to 2025-01-12  12 rows  committed  0.0 s\n", "", 0)


@pytest.fixture
def warehouse(make_faulty_warehouse: MakeWarehouse, monkeypatch: pytest.MonkeyPatch) -> WarehouseCopy:
    """An order a day, a request a day: more of them than may be unacknowledged."""
    monkeypatch.setattr(payloads, "TARGET_BYTES", 1)
    for number, day in enumerate(DAYS, 1):
        shop.orders.put(day, order(day, number))
    return make_faulty_warehouse(OrderExtractor)


@pytest.fixture
def brief_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second for each, where it is half a minute."""
    monkeypatch.setattr(write_stream, "_SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(write_stream, "CALL_SECONDS", 0.5)
    monkeypatch.setattr(write_streams, "_MOMENT_SECONDS", 0.1)


@pytest.fixture
def impatient(brief_tries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """And few of them: all is given up after a second or two, where it is a minute or two."""
    del brief_tries
    monkeypatch.setattr(write_stream, "UNACKNOWLEDGED_SECONDS", 2)
    monkeypatch.setattr(write_stream, "RETRY", patience.RETRY.with_timeout(1))


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("open", "UNAVAILABLE"),
        case("open", "NOT_FOUND", times=2),
        case("open", "reply lost"),
        case("append", "break before"),
        case("append", "break after"),
        case("append", "break before", nth=5, unanswered=3),
        case("append", "break after", nth=8, unanswered=7),
        case("append", "break after", nth=12, unanswered=4, code="INTERNAL"),
        case("append", "break before", nth=3, times=2, code="ABORTED"),
        case("append", "break before", nth=2, code="NOT_FOUND"),
        case("append", "ALREADY_EXISTS", nth=3),
        case("append", "OUT_OF_RANGE", nth=3),
        case("append", "RESOURCE_EXHAUSTED", nth=3, times=2),
        case("append", "INTERNAL", nth=12),
        case("append", "held", nth=3, seconds=0.5),
        case("append", "late", nth=3, seconds=0.5),
        case("finalize", "UNAVAILABLE"),
        case("finalize", "reply lost"),
    ],
)
def test_what_may_pass_passes(
    warehouse: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    server.fail(step, **fault)

    result = run_command(*EXPORT)

    assert result == DONE
    _assert_all_once(warehouse, server)


@pytest.mark.usefixtures("brief_tries")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("open", "silence"),
        case("append", "silence"),
        case("append", "silence", nth=5),
        case("append", "late", nth=5),
        case("append", "held", nth=12),
        case("finalize", "silence"),
        case("finalize", "late"),
    ],
)
def test_a_reply_after_the_deadline_is_not_waited_for(
    warehouse: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    met = server.fail(step, **fault)

    result = run_command(*EXPORT)
    met.release()  # and what was held is applied now

    assert result == DONE
    _assert_all_once(warehouse, server)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "problem"),
    [
        case("open", "PERMISSION_DENIED", f"cannot open a write stream: PERMISSION_DENIED: {SAID}"),
        case("open", "UNAVAILABLE", f"cannot open a write stream: UNAVAILABLE: {SAID}", times=FOREVER),
        case("open", "silence", f"cannot open a write stream: {LATE}", times=FOREVER),
        case(
            "append",
            "row errors",
            f"BigQuery refused the rows: INVALID_ARGUMENT: as the test says; row 3 of the unit: {SAID}",
            nth=3,
            rows=0,
        ),
        case("append", "PERMISSION_DENIED", f"BigQuery refused the rows: PERMISSION_DENIED: {SAID}", nth=12),
        case(
            "append",
            "break before",
            f"BigQuery refused the rows: UNAUTHENTICATED: {SAID}",
            nth=5,
            code="UNAUTHENTICATED",
        ),
        case("append", "break before", f"no acknowledgement within 2 s: UNAVAILABLE: {SAID}", times=FOREVER),
        case(
            "append",
            "RESOURCE_EXHAUSTED",
            f"no acknowledgement within 2 s: RESOURCE_EXHAUSTED: {SAID}",
            nth=4,
            times=FOREVER,
        ),
        case(
            "append",
            "silence",
            "no acknowledgement within 2 s: DEADLINE_EXCEEDED: no reply for 0 s.",
            nth=4,
            times=FOREVER,
        ),
        case("finalize", "other count", "BigQuery counts 11 rows in the write stream, 12 were sent.", rows=-1),
        case("finalize", "silence", f"cannot finalize the write stream: {LATE}", times=FOREVER),
    ],
)
def test_what_does_not_pass_is_one_clear_error_and_nothing_is_visible(  # noqa: PLR0913, PLR0917 - a case
    warehouse: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    problem: str,
) -> None:
    met = server.fail(step, **fault)

    failed = run_command(*EXPORT)
    before = server.rows("order"), warehouse.ledger("*")
    met.end()
    again = run_command(*EXPORT)

    assert failed == (
        "",
        f"order failed.\n{warehouse.name('order')}, from 2025-01-01 on: {problem}\n"
        "  Nothing of it is visible. Run the command again: it starts with the same day.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert before == ([], [])
    assert again == DONE
    _assert_all_once(warehouse, server)


def _assert_all_once(warehouse: WarehouseCopy, server: FaultServer) -> None:
    assert [row["number"] for row in server.rows("order")] == list(range(1, 13))
    assert warehouse.ledger("`event`, COUNT(*), SUM(`row_count`)", "GROUP BY 1 ORDER BY 1") == [
        ("committed", 12, 12),
        ("prepared", 12, 12),
    ]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("append ")] == []
