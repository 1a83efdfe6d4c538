"""`manage.py smolqwery_extract` while the prepare goes wrong: one run has the days, and all runs agree which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exporter_cases.interleaving import once
from faults.endings import (
    EXPORT,
    NOTHING_NEW,
    SAID,
    case,
    ended,
    events,
    failed,
    numbers,
    recovered,
    said,
    threads_left,
    unanswered,
)
from faults.script import FOREVER

if TYPE_CHECKING:
    from conftest import RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

PREPARE = "smolqwery-prepare-"
PREPARED, COMMITTED = ("prepared", 0, 3), ("committed", 0, 3)
EMPTY_UNIT_OF_ANOTHER_RUN = {"run_id": "another", "streams": [], "row_counts": "0,0,0"}
"""Its extractor found no row: nothing is left to commit."""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("step", "fault", "attempts"),
    [
        case("insert job", "taken", 1),
        case("insert job", "taken", 1, polls=3),
        case("insert job", "taken", 2, reason="invalidQuery"),
        case("insert job", "taken", 2, reason="quotaExceeded", polls=3),
        case("insert job", "taken", 2, parameters={"table_id": "another"}),
        case("insert job", "taken", 2, parameters={"table_id": "another"}, polls=3),
        case("insert job", "reply lost", 1),
        case("insert job", "dropped", 1),
        case("insert job", "HTTP 503", 1, times=3),
        case("insert job", "HTTP 500", 1, times=3),
        case("insert job", "HTTP 429", 1, times=3),
        case("insert job", "HTTP 403", 1),
        case("insert job", "HTTP 404", 1),
        case("insert job", "HTTP 409", 1, times=2),
        case("insert job", "runs long", 1, polls=3),
        case("insert job", "fails", 2),
        case("insert job", "fails", 3, reason="backendError", times=2),
    ],
)
def test_what_may_pass_passes(  # noqa: PLR0913, PLR0917 - a case
    orders: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    attempts: int,
) -> None:
    server.fail(step, job=PREPARE, **fault)

    result = run_command(*EXPORT)

    assert result == ended("committed")
    assert (numbers(server), events_of_order(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])
    assert attempts_of(server) == list(range(attempts))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("insert job", "reply lost", times=FOREVER),
        case("insert job", "late", times=FOREVER),
        case("insert job", "silence"),
    ],
)
def test_a_reply_that_does_not_come_is_asked_for(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    met = server.fail(step, job=PREPARE, **fault)

    result = run_command(*EXPORT)
    met.end()

    assert result == ended("committed")
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])
    assert attempts_of(server) == [0]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("word", ["taken", "runs long"])
def test_a_job_that_fails_while_it_is_waited_for(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
) -> None:
    """BigQuery answers 503 when it is asked for the results of a job that has failed so: only its state tells."""
    server.fail("insert job", job=PREPARE, with_=word, reason="backendError", polls=3)

    result = run_command(*EXPORT)

    assert result == ended("committed")
    assert (numbers(server), events(orders), attempts_of(server)) == ([1, 2, 3], [PREPARED, COMMITTED], [0, 1])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("word", ["silence", "dropped", "HTTP 503"])
def test_a_job_whose_results_do_not_come_is_known_by_its_state(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
) -> None:
    met = server.fail("results", with_=word, times=FOREVER)
    met.ended = True
    server.fail("insert job", job=PREPARE, with_="as usual", do=lambda: setattr(met, "ended", False))
    server.fail("commit", with_="as usual", do=met.end)

    result = run_command(*EXPORT)

    assert result == ended("committed")
    assert (numbers(server), events(orders), attempts_of(server)) == ([1, 2, 3], [PREPARED, COMMITTED], [0])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("polls", [0, 3])
def test_whose_row_is_there_has_the_days(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, polls: int
) -> None:
    server.fail("insert job", job=PREPARE, with_="taken", parameters=EMPTY_UNIT_OF_ANOTHER_RUN, polls=polls)

    result = run_command(*EXPORT)
    again = run_command(*EXPORT)

    assert result == ended("committed by another run", rows="0 rows")
    assert again == (NOTHING_NEW, "", 0)
    assert (numbers(server), events(orders), attempts_of(server)) == ([], [PREPARED], [0])


@pytest.mark.usefixtures("quick")
def test_two_runs_count_the_attempts_alike(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt has failed; the other run begins the second while ours stands before its first."""
    others = []
    once(monkeypatch, "looked again", lambda: others.append(run_command(*EXPORT)))
    server.fail("insert job", job=PREPARE, with_="fails")

    result = run_command(*EXPORT)

    assert others == [ended("committed")]
    assert result == ended("committed by another run")
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])
    assert attempts_of(server) == [0, 1]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "problem"),
    [
        case("insert job", "HTTP 403", f"BigQuery refuses access: POST {{jobs}}: {SAID}{{job}}.", times=FOREVER),
        case("insert job", "HTTP 409", f"BigQuery refuses the call: POST {{jobs}}: {SAID}{{job}}.", times=FOREVER),
        case("insert job", "HTTP 503", f"{{rest}} does not answer: 503 POST {{jobs}}: {SAID}.", times=FOREVER),
        case("insert job", "dropped", "{rest} does not answer: {closed}.", times=FOREVER),
        case("insert job", "silence", "{rest} does not answer: timed out.", times=FOREVER),
    ],
)
def test_no_access_and_no_answer_are_one_clear_error(  # noqa: PLR0913, PLR0917 - a case
    orders: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    problem: str,
) -> None:
    met = server.fail(step, job=PREPARE, **fault)

    first = run_command(*EXPORT)
    before = numbers(server), events(orders), threads_left()
    met.end()
    again = run_command(*EXPORT)

    assert said(first, server) == failed(f"{orders.ledger_name}: {unanswered(problem)}")
    assert before == ([], [], [])
    assert again == ended("committed")
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])


@pytest.mark.usefixtures("impatient")
def test_a_prepare_that_is_applied_after_its_run_has_given_up(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer
) -> None:
    met = server.fail("insert job", job=PREPARE, with_="held", times=FOREVER)

    first = run_command(*EXPORT)
    before = numbers(server), events(orders)
    met.end()
    again = run_command(*EXPORT)

    problem = unanswered("{rest} does not answer: timed out.")
    assert said(first, server) == failed(f"{orders.ledger_name}: {problem}")
    assert before == ([], [])
    assert again in {recovered(), ended("committed")}  # as the old request or the new run is faster
    assert (numbers(server), events(orders), attempts_of(server)) == ([1, 2, 3], [PREPARED, COMMITTED], [0])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("reason", ["invalidQuery", "accessDenied"])
def test_a_job_that_fails_three_times_is_left_to_the_next_run(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, reason: str
) -> None:
    server.fail("insert job", job=PREPARE, with_="fails", reason=reason, times=3)

    first = run_command(*EXPORT)
    before = numbers(server), events(orders), threads_left()
    again = run_command(*EXPORT)

    job = [job for job in server.jobs.ids() if job.startswith(PREPARE)][2]
    assert first == failed(
        f"{orders.ledger_name}: job {job} and those before it did not succeed: {SAID}.\n"
        "  Look at them in BigQuery's job history, then run this again: it begins the next attempt."
    )
    assert before == ([], [], [])
    assert again == ended("committed")
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])
    assert attempts_of(server) == [0, 1, 2, 3]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("word", ["runs long", "taken"])
def test_a_job_that_runs_longer_than_a_run_waits(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
) -> None:
    """As long as it runs nobody prepares these days; when it has ended, its unit is committed."""
    server.fail("insert job", job=PREPARE, with_=word, polls=1000)

    first = run_command(*EXPORT)
    again = run_command(*EXPORT)
    before = numbers(server), events(orders), attempts_of(server)
    server.jobs.finish()
    last = run_command(*EXPORT)

    problem = unanswered("{rest} does not answer: the job has not ended in time.")
    assert [said(one, server) for one in (first, again)] == [failed(f"{orders.ledger_name}: {problem}")] * 2
    assert before == ([], [], [0])
    assert last == recovered()
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])


def attempts_of(server: FaultServer) -> list[int]:
    """Of the one unit that there is, as BigQuery has them in its job history."""
    jobs = [job.removeprefix(PREPARE).split("-") for job in server.jobs.ids() if job.startswith(PREPARE)]
    assert len({digest for digest, _ in jobs}) == 1
    return [int(attempt) for _, attempt in jobs]


def events_of_order(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    """What stands in the ledger under another table's name is nobody's."""
    return warehouse.ledger(
        "`event`, `generation`, COUNT(*)",
        "WHERE `table_id` = 'order' GROUP BY `event`, `generation`, `recorded_at` ORDER BY `recorded_at`",
    )
