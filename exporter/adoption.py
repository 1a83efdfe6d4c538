"""Rows that were in a table before its ledger (smolqwery's, or of a lost ledger) → the day to go on from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, cast

from exporter import steps
from exporter.annotations import Type
from exporter.counts import newest, rows_between
from exporter.days import ONE_DAY, day_of, last_finished_day
from exporter.entries import Unit
from exporter.errors import LedgerError

if TYPE_CHECKING:
    from exporter.entries import TableLedger
    from exporter.run import Run, Source


def adopted(run: Run, source: Source, known: TableLedger) -> TableLedger:
    """While this exporter has exported nothing: the last day that has rows, at most yesterday, counts as exported.

    Raises LedgerError: there are rows of a day in the future.
    """
    if known.first_day is not None and (known.adopted_day is None or known.head != known.adopted_day):
        return known
    column = source.date_column
    found = newest(run.warehouse, source.table.table_id, column.name)
    if found is None:
        return known
    present = found if column.type is Type.DATE else day_of(cast("datetime", found), source.zone)
    yesterday = last_finished_day(datetime.now(UTC), source.zone, timedelta(0))
    if present > yesterday + ONE_DAY:
        raise LedgerError(
            location=source.name,
            problem=f"its last row is of {present}, in the future: its rows do not tell which days are exported.",
            remedy=f"Delete the rows after {yesterday + ONE_DAY}, or export into a new table (a new dataclass name "
            "gives one).",
        )
    # Rows of a day that has not ended are looked at again by the next run: nothing is exported before that.
    day = min(present, yesterday)
    if known.adopted_day is not None and day <= known.adopted_day:
        return known
    if run.options.dry_run:
        run.reporter.notice(source.table.table_id, _notice(source, day, present, "would be"))
        return replace(known, first_day=day, head=day, adopted_day=day)
    rows = rows_between(run.warehouse, source.table.table_id, column.name, *source.bounds(day, day))
    entry = Unit(
        table_id=source.table.table_id,
        table_created=source.table.created,
        days=(day,),
        row_counts=(rows,),
        generation=0,
        streams=(),
        run_id=run.options.run_id,
    )
    if run.ledger.adopt(entry):
        steps.reached("adopted")
        run.reporter.notice(source.table.table_id, _notice(source, day, present, "are"))
    return run.ledger.read_table(source.table)


def _notice(source: Source, day: date, present: date, verb: str) -> str:
    after = f"the export goes on with {day + ONE_DAY}" if present == day else f"{present} {verb}, when it has ended"
    return (
        f"{source.name}: holds rows that the ledger does not know, to {present}. "
        f"Days to {day} {verb} adopted; {after}.\n"
        f"  If {day} was exported in part only: "
        f"manage.py smolqwery_extract {source.table.table_id} --replace --from {day} --to {day}"
    )
