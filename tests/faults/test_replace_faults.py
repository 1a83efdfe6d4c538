"""`--replace` while BigQuery answers badly: the rows of the days are exchanged once, whole, or not at all, and said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from exporter import BaseExtractor, ExtractorType
from exporter_cases import shop
from exporter_cases.interleaving import Killed, die, once
from exporter_cases.shop import OrderExtractor, instant, order
from faults.endings import (
    DAYS,
    EXPORT,
    NOTHING_NEW,
    SAID,
    case,
    ended,
    events,
    failed,
    numbers,
    said,
    stock,
    threads_left,
    unanswered,
)
from faults.moments import REST, Moment, another_run
from faults.script import FOREVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

REPLACE = ("smolqwery_extract", "--replace", "--from", DAYS[0], "--to", DAYS[1])
BEGIN, MERGE = "smolqwery-replace-", "smolqwery-merge-"
REPLACING, REPLACED, EXPIRED = ("replacing", 1, 2), ("replaced", 1, 2), ("expired", 1, 2)
OLD, NEW = [1, 2, 3], [3, 20, 21]
AGAIN = "Run the command again: no row is lost, or there twice."


@pytest.fixture
def exported(orders: WarehouseCopy, run_command: RunCommand) -> WarehouseCopy:
    """Three days of orders, of which the first has none any more and the second other ones."""
    run_command(*EXPORT)
    correct()
    return orders


def correct() -> None:
    shop.orders.clear()
    shop.orders.put(DAYS[1], order(DAYS[1], 20), order(DAYS[1], 21))


def replaced(*outcomes: str, then: str = "") -> tuple[str, str, int]:
    said = ended(*(outcomes or ("replaced",)), last=DAYS[1], rows="2 rows")[0]
    return said + then, "", 0


def replacements(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    return [event for event in events(warehouse) if event[0] not in {"prepared", "committed"}]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("make table", "reply lost"),
        case("make table", "dropped"),
        case("make table", "HTTP 503", times=3),
        case("open", "NOT_FOUND", times=2),
        case("append", "break after"),
        case("append", "break before", code="NOT_FOUND"),
        case("commit", "reply lost"),
        case("commit", "INVALID_STREAM_STATE", times=3),
        case("insert job", "reply lost", job=BEGIN),
        case("insert job", "dropped", job=BEGIN),
        case("insert job", "HTTP 503", job=BEGIN, times=3),
        case("insert job", "taken", job=BEGIN),
        case("insert job", "taken", job=BEGIN, polls=3),
        case("insert job", "taken", job=BEGIN, reason="invalidQuery"),
        case("insert job", "fails", job=BEGIN, times=2),
        case("insert job", "reply lost", job=MERGE),
        case("insert job", "dropped", job=MERGE),
        case("insert job", "HTTP 503", job=MERGE, times=3),
        case("insert job", "taken", job=MERGE),
        case("insert job", "taken", job=MERGE, polls=3),
        case("insert job", "taken", job=MERGE, reason="quotaExceeded"),
        case("insert job", "fails", job=MERGE, times=2),
        case("insert job", "runs long", job=MERGE, polls=3),
        case("query", "reply lost", statement="INSERT"),
        case("query", "HTTP 503", statement="INSERT", times=3),
    ],
)
def test_what_may_pass_passes(
    exported: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    server.fail(step, **fault)

    result = run_command(*REPLACE)

    assert result == replaced()
    assert (numbers(server), replacements(exported), threads_left()) == (NEW, [REPLACING, REPLACED], [])
    assert run_command(*EXPORT) == (NOTHING_NEW, "", 0)


NO_ANSWER = "{rest} does not answer: timed out."
NO_TABLE = f"BigQuery refuses access: POST {{tables}}: {SAID}."
NO_ACCESS = f"BigQuery refuses access: POST {{jobs}}: {SAID}{{job}}."
NO_MARK = f"BigQuery refuses access: POST {{queries}}: {SAID}."


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "where", "problem"),
    [
        case("make table", "silence", "{staging}", unanswered(NO_ANSWER), times=FOREVER),
        case("make table", "HTTP 403", "{staging}", unanswered(NO_TABLE), times=FOREVER),
        case(
            "finalize",
            "other count",
            f"{{table}}, from {DAYS[0]} on",
            "BigQuery counts 3 rows in the write stream, 2 were sent.\n"
            "  Nothing of it is visible. Run the command again: it starts with the same day.",
        ),
        case(
            "commit",
            "PERMISSION_DENIED",
            "{days}",
            f"BigQuery does not commit its write streams: PERMISSION_DENIED: {SAID}.\n  {AGAIN}",
        ),
        case(
            "commit",
            "NOT_FOUND",
            "{days}",
            f"BigQuery does not commit its write streams: NOT_FOUND: {SAID}.\n  {AGAIN}",
            times=FOREVER,
        ),
        case("insert job", "HTTP 403", "{ledger}", unanswered(NO_ACCESS), job=BEGIN, times=FOREVER),
    ],
)
def test_what_fails_before_it_is_prepared_leaves_nothing(  # noqa: PLR0913, PLR0917 - a case
    exported: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    where: str,
    problem: str,
) -> None:
    met = server.fail(step, **fault)

    first = run_command(*REPLACE)
    before = numbers(server), replacements(exported), threads_left()
    met.end()
    later = run_command(*EXPORT)
    again = run_command(*REPLACE)

    assert said(first, server) == failed(f"{located(where, exported)}: {problem}")
    assert before == (OLD, [], [])
    assert (later, again) == ((NOTHING_NEW, "", 0), replaced())
    assert (numbers(server), replacements(exported)) == (NEW, [REPLACING, REPLACED])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "where", "problem", "visible"),
    [
        case("insert job", "HTTP 403", "{days}", unanswered(NO_ACCESS), OLD, job=MERGE, times=FOREVER),
        case("query", "HTTP 403", "{ledger}", unanswered(NO_MARK), NEW, statement="INSERT"),
    ],
)
def test_what_fails_when_it_is_prepared_is_finished_by_the_next_run(  # noqa: PLR0913, PLR0917 - a case
    exported: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    where: str,
    problem: str,
    visible: list[int],
) -> None:
    """Of any kind, and with the rows that were staged."""
    met = server.fail(step, **fault)

    first = run_command(*REPLACE)
    before = numbers(server), replacements(exported), threads_left()
    met.end()
    later = run_command(*EXPORT)

    assert said(first, server) == failed(f"{located(where, exported)}: {problem}")
    assert before == (visible, [REPLACING], [])
    assert later == replaced(then=NOTHING_NEW)
    assert (numbers(server), replacements(exported)) == (NEW, [REPLACING, REPLACED])


@pytest.mark.usefixtures("quick")
def test_a_merge_that_fails_three_times_is_left_to_the_next_run(
    exported: WarehouseCopy, run_command: RunCommand, server: FaultServer
) -> None:
    server.fail("insert job", job=MERGE, with_="fails", times=3)

    first = run_command(*REPLACE)
    before = numbers(server), replacements(exported), threads_left()
    later = run_command(*EXPORT)

    job = [job for job in server.jobs.ids() if job.startswith(MERGE)][2]
    assert first == failed(
        f"{located('{days}', exported)}: prepared, but not replaced yet: job {job} and those before it did not "
        f"succeed: {SAID}.\n"
        "  Mend what BigQuery names, then run the command again: it goes on with this replacement. Or drop "
        f"{staging_table(exported)}: then it is given up."
    )
    assert before == (OLD, [REPLACING], [])
    assert later == replaced(then=NOTHING_NEW)
    assert (numbers(server), replacements(exported)) == (NEW, [REPLACING, REPLACED])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("word", ["runs long", "taken"])
def test_a_merge_that_runs_longer_than_a_run_waits(
    exported: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
) -> None:
    """As long as it runs no other replacement begins."""
    server.fail("insert job", job=MERGE, with_=word, polls=1000)

    first, again = run_command(*REPLACE), run_command(*REPLACE)
    before = numbers(server), replacements(exported)
    server.jobs.finish()
    later = run_command(*EXPORT)

    problem = unanswered("{rest} does not answer: the job has not ended in time.")
    assert [said(one, server) for one in (first, again)] == [failed(f"{located('{days}', exported)}: {problem}")] * 2
    assert before == (OLD, [REPLACING])
    assert later == replaced(then=NOTHING_NEW)
    assert (numbers(server), replacements(exported)) == (NEW, [REPLACING, REPLACED])


class TestTheStagingTableIsGone:
    """By BigQuery's clock, after two days in which nobody finished the replacement, or dropped by a person."""

    @pytest.fixture
    def left(self, exported: WarehouseCopy, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> WarehouseCopy:
        once(monkeypatch, "replacing", die)
        with pytest.raises(Killed):
            run_command(*REPLACE)
        return exported

    def test_not_replaced_is_said_with_the_command_that_replaces(
        self, left: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        server.clock.set(datetime.now(UTC) + timedelta(hours=49))

        result = run_command(*EXPORT)

        assert result == (replaced("not replaced")[0] + NOTHING_NEW, gone(left), 0)
        assert (numbers(server), replacements(left), threads_left()) == (OLD, [REPLACING, EXPIRED], [])

    def test_the_next_replacement_does_not_miss_it(
        self, left: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        left.drop_table(staging_table(left).rpartition(".")[2], dataset=f"{left.dataset}_exporter")

        result = run_command(*REPLACE)

        assert result == (replaced("not replaced", "replaced")[0], gone(left), 0)
        second = [("replacing", 2, 2), ("replaced", 2, 2)]
        assert (numbers(server), replacements(left)) == (NEW, [REPLACING, EXPIRED, *second])

    def test_before_that_it_is_finished(
        self, left: WarehouseCopy, run_command: RunCommand, server: FaultServer
    ) -> None:
        server.clock.set(datetime.now(UTC) + timedelta(hours=47))

        assert run_command(*EXPORT) == replaced(then=NOTHING_NEW)
        assert (numbers(server), replacements(left)) == (NEW, [REPLACING, REPLACED])

    def test_a_merge_that_was_done_in_time_counts(
        self,
        exported: WarehouseCopy,
        run_command: RunCommand,
        server: FaultServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        once(monkeypatch, "merged", die)
        with pytest.raises(Killed):
            run_command(*REPLACE)
        server.clock.set(datetime.now(UTC) + timedelta(hours=49))

        assert run_command(*EXPORT) == replaced(then=NOTHING_NEW)
        assert (numbers(server), replacements(exported)) == (NEW, [REPLACING, REPLACED])


@pytest.mark.usefixtures("quick")
def test_another_replacement_of_the_same_days_comes_at_any_moment(
    make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer
) -> None:
    """One run for each call that it makes of BigQuery: the other one does all just before that call is applied."""
    others: list[str] = []
    for number in count(1):
        stock()
        warehouse = make_faulty_warehouse(OrderExtractor)
        run_command(*EXPORT)
        correct()
        moment = Moment(server, [*REST, "make table", "commit"], number, lambda: others.append(another_run(*REPLACE)))

        result = run_command(*REPLACE)
        moment.end()
        if not moment.is_reached:
            break
        again = run_command(*EXPORT)

        assert (len(others), result[1:], again) == (number, ("", 0), (NOTHING_NEW, "", 0))
        assert warehouse.rows("order", "`number`") == [(row,) for row in NEW]
    assert number > len(("the ledger", "the staging table", "its commit", "the number", "the merge", "the mark"))


@dataclass(slots=True)
class Note:
    """But for its time stamp a note may be empty."""

    timestamp: datetime
    text: str | None = None


class NoteExtractor(BaseExtractor[Note]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Note]:
        del date_end
        yield from shop.orders.take(date_start.date())  # type: ignore[misc] # a shelf holds anything


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_table_that_is_overlooked_for_a_moment_costs_no_column(
    make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer, nth: int
) -> None:
    """Whichever look at a table BigQuery answers with 404: the rows are the old ones, or the new ones as a whole."""
    warehouse = make_faulty_warehouse(NoteExtractor)
    put_note("old")
    run_command("smolqwery_extract", "--to", DAYS[0])
    put_note("new")
    server.fail("table", with_="HTTP 404", nth=nth)
    replace = ("smolqwery_extract", "--replace", "--from", DAYS[0], "--to", DAYS[0])

    result = run_command(*replace)
    rows = warehouse.rows("note", "`text`")
    run_command(*replace)

    assert (result.exit_code, rows) in [(1, [("old",)]), (0, [("new",)])]
    assert warehouse.rows("note", "`text`") == [("new",)]


def put_note(text: str) -> None:
    shop.orders.clear()
    shop.orders.put(DAYS[0], Note(timestamp=instant(DAYS[0]), text=text))


def gone(warehouse: WarehouseCopy) -> str:
    command = " ".join(["manage.py smolqwery_extract order", *REPLACE[1:]])
    return (
        f"order: {located('{days}', warehouse)}: a replacement was left undone, and its rows have expired. "
        f"To replace these days still: {command}\n"
    )


def located(where: str, warehouse: WarehouseCopy) -> str:
    """The beginning of a message."""
    return where.format(
        table=warehouse.name("order"),
        days=f"{warehouse.name('order')}, {DAYS[0]} to {DAYS[1]}",
        ledger=warehouse.ledger_name,
        staging="{staging}",
    )


def staging_table(warehouse: WarehouseCopy) -> str:
    """Of the one replacement that there is."""
    ((name,),) = warehouse.ledger("DISTINCT `stream`", ", UNNEST(`streams`) AS `stream` WHERE `event` = 'replacing'")
    return str(name)
