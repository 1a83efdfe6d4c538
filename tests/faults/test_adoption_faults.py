"""`manage.py smolqwery_extract` of a table that has rows already, while writing that down goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from faults.endings import DAYS, EXPORT, SAID, case, ended, events, failed, numbers, said, threads_left, unanswered
from faults.script import FOREVER

if TYPE_CHECKING:
    from conftest import RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

ADOPT = "smolqwery-adopt-"
ADOPTED, PREPARED, COMMITTED = ("adopted", 0, 1), ("prepared", 0, 2), ("committed", 0, 2)
REST = ended("committed", first=DAYS[1], rows="2 rows")[0]
NO_ANSWER = unanswered("{rest} does not answer: {closed}.")
NO_ACCESS = unanswered(f"BigQuery refuses access: POST {{jobs}}: {SAID}{{job}}.")


@pytest.fixture
def with_rows(orders: WarehouseCopy) -> WarehouseCopy:
    """The first day's, of a time before the ledger."""
    orders.sql(f"INSERT INTO `{orders.name('order')}` (`timestamp`, `number`) VALUES ('2025-01-01 12:00:00+00', 1)")
    return orders


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("insert job", "reply lost"),
        case("insert job", "dropped"),
        case("insert job", "HTTP 503", times=3),
        case("insert job", "taken"),
        case("insert job", "taken", polls=3),
        case("insert job", "taken", reason="invalidQuery"),
        case("insert job", "taken", parameters={"run_id": "another"}),
        case("insert job", "fails", times=2),
        case("insert job", "runs long", polls=3),
    ],
)
def test_what_may_pass_passes(
    with_rows: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    server.fail(step, job=ADOPT, **fault)

    result = run_command(*EXPORT)

    assert result == (REST, notice(with_rows), 0)
    assert (numbers(server), events(with_rows), threads_left()) == ([1, 2, 3], [ADOPTED, PREPARED, COMMITTED], [])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "problem"),
    [
        case("insert job", "HTTP 403", NO_ACCESS, times=FOREVER),
        case("insert job", "dropped", NO_ANSWER, times=FOREVER),
    ],
)
def test_what_does_not_pass_is_one_clear_error_and_nothing_is_exported(  # noqa: PLR0913, PLR0917 - a case
    with_rows: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    problem: str,
) -> None:
    met = server.fail(step, job=ADOPT, **fault)

    first = run_command(*EXPORT)
    before = numbers(server), events(with_rows), threads_left()
    met.end()
    again = run_command(*EXPORT)

    assert said(first, server) == failed(f"{with_rows.ledger_name}: {problem}")
    assert before == ([1], [], [])
    assert again == (REST, notice(with_rows), 0)
    assert (numbers(server), events(with_rows)) == ([1, 2, 3], [ADOPTED, PREPARED, COMMITTED])


def notice(warehouse: WarehouseCopy) -> str:
    return (
        f"order: {warehouse.name('order')}: holds rows that the ledger does not know, to 2025-01-01. "
        "Days to 2025-01-01 are adopted; the export goes on with 2025-01-02.\n"
        "  If 2025-01-01 was exported in part only: "
        "manage.py smolqwery_extract order --replace --from 2025-01-01 --to 2025-01-01\n"
    )
