"""Days of a table → prepared once, committed, remembered.

The statements are in ledger_days.py, ledger_tables.py and ledger_inserts.py.

Rows are only ever appended. What they say of one day of one table, in its latest generation:

    rows there are               the day is       what comes next
    (none)                       open             a unit may be prepared from here
    prepared, with streams       live, in doubt   the streams are committed (again), whoever finds this
    prepared, without streams    live, done       nothing: there was nothing to commit
    prepared, committed          live, done       nothing; an "abandoned" of a run that saw less does not count
    prepared, abandoned          open             the streams are gone: the next generation is prepared
    adopted                      live, done       nothing: its rows and all before it were there before the ledger

Days that are done can be replaced. Replacements of a table are numbered, and n + 1 begins when n is done:

    replacing n                  being replaced   the MERGE of n runs (once), whoever finds this
    replacing n, replaced n      replaced         nothing
    replacing n, expired n       as before n      nothing: its staging table is gone, and was not merged

Only rows with the table's present creation time count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from google.api_core import exceptions

from exporter import ledger_days, ledger_inserts, ledger_tables
from exporter.days import days_between
from exporter.entries import DayEntry, Replacement, TableLedger, Unit, UnitState, units_of
from exporter.errors import TableError
from exporter.jobs import Jobs, array, scalar
from exporter.refusals import translated_errors
from exporter.spans import known_of_tables
from exporter.warehouse import APPLY_TERRAFORM, Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from exporter.jobs import Parameter, Ran
    from exporter.metadata import Table

T = TypeVar("T")


class Ledger:
    """The table `ledger` in the exporter's own dataset. Every method raises WarehouseError when there is no answer."""

    def __init__(self, warehouse: Warehouse, *, time_zone: str) -> None:
        self._warehouse = warehouse
        self._jobs = Jobs(warehouse)
        self._name = warehouse.exporter_name("ledger")
        self._time_zone = time_zone

    def read(self, table_ids: Sequence[str]) -> dict[tuple[str, datetime], TableLedger]:
        """One query: by table and creation time, all that a run needs. Raises TableError: there is no ledger."""
        with translated_errors(self._name):
            try:
                rows = self._rows(ledger_tables.READ, [array("table_ids", "STRING", list(table_ids))])
            except exceptions.NotFound as error:
                raise TableError(
                    location=self._name, problem="not in BigQuery: it is the exporter's record.", remedy=APPLY_TERRAFORM
                ) from error
        return known_of_tables(rows)

    def read_table(self, table: Table) -> TableLedger:
        """What is known of one table now."""
        return self.read([table.table_id]).get((table.table_id, table.created), TableLedger())

    def days(self, table: Table) -> list[DayEntry]:
        """Every day that the ledger knows of one table, in order."""
        parameters: list[Parameter] = [
            array("table_ids", "STRING", [table.table_id]),
            scalar("table_created", "TIMESTAMP", table.created),
        ]
        with translated_errors(self._name):
            rows = self._rows(ledger_days.DAYS, parameters)
        return [DayEntry(**row) for row in rows]

    def prepare(self, unit: Unit, *, begins: bool = False) -> Unit | None:
        """Compare and swap: the unit that holds the first of these days now, ours or that of a run that was faster.

        It `begins` a table of which the ledger knew nothing: whichever day that is, there is one such unit of a table.
        None: the ledger has moved on since it was read. Raises LedgerError when BigQuery fails the job three times.
        """

        def look(ran: Ran) -> tuple[Unit | None] | None:
            if ran.ours and ran.affected == len(unit.days):
                return (unit,)
            holders = self._holders(unit)
            if holders:
                return (unit if unit in holders else holders[-1],)
            known = self._known(unit)
            exported = known.head is not None and known.head >= unit.days[0]
            begun = begins and known.first_day is not None
            moved_on = exported or begun or known.abandoned.get(unit.days[0], -1) >= unit.generation
            return (None,) if moved_on else None

        step = ("prepare", "first unit") if begins else ("prepare", unit.days[0], unit.generation)
        (holder,) = self._swap(step, ledger_inserts.PREPARE, unit, "prepared", look)
        return holder

    def adopt(self, entry: Unit) -> bool:
        """Compare and swap: what the table holds, to this one day, is exported. False: somebody exported into it."""
        (day,) = entry.days

        def look(ran: Ran) -> bool | None:
            known = self._known(entry)
            if known.adopted_day is not None and known.adopted_day >= day:
                return True
            # Only an INSERT that ran now and found nothing to do tells that somebody has exported: one that failed does
            # not, nor does one that a lost ledger had.
            return False if ran.ours and ran.error is None else None

        return self._swap(("adopt", day), ledger_inserts.ADOPT, entry, "adopted", look)

    def begin_replacing(self, replacement: Replacement) -> bool:
        """Compare and swap: whether this replacement has its number now. False: another one has it."""

        def look(ran: Ran) -> bool | None:
            if ran.ours and ran.affected == len(replacement.days):
                return True
            known = self._known(replacement)
            return None if known.replacements < replacement.number else known.undone == replacement

        return self._swap(
            ("replace", replacement.number), ledger_inserts.BEGIN_REPLACING, replacement, "replacing", look
        )

    def mark(self, entry: Unit | Replacement, event: Literal["committed", "abandoned", "replaced", "expired"]) -> None:
        """Remember it. Losing "committed" costs a repeated commit, "replaced" a look at a job; both change nothing."""
        statement = ledger_inserts.MARK_UNIT if isinstance(entry, Unit) else ledger_inserts.MARK_REPLACEMENT
        with translated_errors(self._name):
            self._rows(
                ledger_inserts.ABANDON if event == "abandoned" else statement,
                [*_of_rows(entry), scalar("event", "STRING", event)],
            )

    def mark_found(self, unit: Unit) -> None:
        """Remember a unit as committed because its rows were counted, unless it is abandoned by now."""
        with translated_errors(self._name):
            self._rows(ledger_inserts.MARK_FOUND, [*_of_rows(unit), scalar("event", "STRING", "committed")])

    def state(self, unit: Unit) -> UnitState:
        """What is known of a unit in doubt, by BigQuery's clock."""
        with translated_errors(self._name):
            (row,) = self._rows(ledger_days.STATE, _of_rows(unit))
        return UnitState(**row)

    def _swap(
        self,
        step: tuple[object, ...],
        statement: str,
        entry: Unit | Replacement,
        event: str,
        look: Callable[[Ran], T | None],
    ) -> T:
        name, *numbers = step
        key = (name, self._warehouse.name(entry.table_id), entry.table_created.isoformat(), *numbers)
        with translated_errors(self._name):
            return self._jobs.run(key, statement.format(ledger=self._name), self._of_new_rows(entry, event), look)

    def _holders(self, unit: Unit) -> Sequence[Unit]:
        """Units that hold this one's first day in its generation or a later one, the latest last."""
        units = units_of(unit.table_id, unit.table_created, self._rows(ledger_days.HOLDERS, _of_rows(unit)))
        return [holder for holder in units if unit.days[0] in holder.days]

    def _known(self, entry: Unit | Replacement) -> TableLedger:
        return self.read([entry.table_id]).get((entry.table_id, entry.table_created), TableLedger())

    def _rows(self, statement: str, parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
        return self._jobs.rows_at_once(statement.format(ledger=self._name), parameters)

    def _of_new_rows(self, entry: Unit | Replacement, event: str) -> list[Parameter]:
        if entry.days != tuple(days_between(entry.days[0], entry.days[-1])):
            raise ValueError(f"not consecutive: {entry.days}")  # they are counted from the first on
        return [
            *_of_rows(entry),
            scalar("event", "STRING", event),
            scalar("row_counts", "STRING", ",".join(map(str, entry.row_counts))),
            array("streams", "STRING", list(entry.streams)),
            scalar("time_zone", "STRING", self._time_zone),
        ]


def _of_rows(entry: Unit | Replacement) -> list[Parameter]:
    """What tells its rows from all others."""
    return [
        scalar("table_id", "STRING", entry.table_id),
        scalar("table_created", "TIMESTAMP", entry.table_created),
        scalar("first_day", "DATE", entry.days[0]),
        scalar("last_day", "DATE", entry.days[-1]),
        scalar("generation", "INT64", entry.generation),
        scalar("run_id", "STRING", entry.run_id),
    ]
