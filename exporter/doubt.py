"""A prepared unit whose streams BigQuery does not commit → committed after all, or abandoned, or left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from exporter import steps
from exporter.counts import rows_between
from exporter.errors import LedgerError
from exporter.run import written_days

if TYPE_CHECKING:
    from exporter.entries import Unit
    from exporter.errors import StreamsGoneError
    from exporter.run import Run, Source

# Streams must be committed within 24 hours (https://cloud.google.com/bigquery/docs/write-api-batch): until then
# somebody could still commit one that does not answer now. The hour is a margin for clocks and for what is under way.
SAFE_AFTER = timedelta(hours=25)


def is_committed_after_all(run: Run, source: Source, unit: Unit, gone: StreamsGoneError) -> bool:
    """Decide by the rows that are there, and write the verdict into the ledger. False: abandoned, to be done again.

    Raises LedgerError while nobody can know, or when the rows are neither all there nor none; TableError when the
    table was made again, whose rows would say nothing.
    """
    location = f"{source.name}, {written_days(unit.days)}"
    # The clock before the rows: were it asked after them, a commit could come between the two, and a unit that was
    # young when its rows were counted would be old when it is judged.
    state = run.ledger.state(unit)
    if state.committed or state.abandoned or state.prepared_at is None:
        return state.committed
    run.warehouse.refuse_another(source.table)
    found = rows_between(
        run.warehouse, unit.table_id, source.date_column.name, *source.bounds(unit.days[0], unit.days[-1])
    )
    if found == unit.rows:
        run.ledger.mark_found(unit)
        steps.reached("marked")
    # Meanwhile another run may have decided, and what was counted may be of a later generation or of a replacement.
    later = run.ledger.state(unit)
    if later.committed or later.abandoned:
        return later.committed
    if found:
        raise LedgerError(
            location=location,
            problem=f"{gone.problem[:-1]}; the table has {found:,} of its {unit.rows:,} rows.",
            remedy="Something else writes to or deletes from this table. Export into a new table (a new dataclass name "
            "gives one), or bring the rows of these days to none or all.",
        ) from gone
    if state.now - state.prepared_at < SAFE_AFTER:
        raise LedgerError(
            location=location,
            problem=f"prepared at {state.prepared_at:%Y-%m-%d %H:%M} UTC, and {gone.problem}",
            remedy=f"From {state.prepared_at + SAFE_AFTER:%Y-%m-%d %H:%M} UTC on nobody can commit them any more, and "
            "the next run exports these days again. Until then the table waits.",
        ) from gone
    run.ledger.mark(unit, "abandoned")
    steps.reached("abandoned")
    return False
