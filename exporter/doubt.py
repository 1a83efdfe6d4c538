"""A prepared unit whose streams are gone → committed after all, or abandoned, or left alone until that is safe."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from exporter.annotations import Type
from exporter.days import ONE_DAY, first_instant
from exporter.errors import LedgerError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from exporter.ledger import Ledger, Unit
    from exporter.schema import Column
    from exporter.warehouse import Warehouse

# Streams must be committed within 24 hours (https://cloud.google.com/bigquery/docs/write-api-batch): until then
# somebody could still commit one that does not answer now. The hour is a margin for clocks and for what is under way.
SAFE_AFTER = timedelta(hours=25)


def is_committed_after_all(
    warehouse: Warehouse, ledger: Ledger, unit: Unit, *, date_column: Column, zone: ZoneInfo
) -> bool:
    """Decide by the rows that are there, and write the verdict into the ledger. False: abandoned, to be done again.

    Raises LedgerError while nobody can know, or when the rows are neither all there nor none.
    """
    name = f"{warehouse.name(unit.table_id)}, {unit.days[0]} to {unit.days[-1]}"
    start, end = _bounds(unit, date_column, zone)
    found = warehouse.count_rows(unit.table_id, column=date_column.name, start=start, end=end)
    if found == unit.rows:
        ledger.mark(unit, "committed")
        return True
    if found:
        raise LedgerError(
            location=name,
            problem=f"its write streams are gone, and BigQuery has {found:,} of its {unit.rows:,} rows.",
            remedy="Something else writes to or deletes from this table. Export into a new table (a new dataclass name "
            "gives one), or bring the rows of these days to none or all.",
        )
    prepared_at, now = ledger.prepared_at(unit)
    if now - prepared_at < SAFE_AFTER:
        raise LedgerError(
            location=name,
            problem=f"prepared at {prepared_at:%Y-%m-%d %H:%M} UTC, and its write streams do not answer since.",
            remedy=f"From {prepared_at + SAFE_AFTER:%Y-%m-%d %H:%M} UTC on nobody can commit them any more, and the "
            "next run exports these days again. Until then the table waits.",
        )
    ledger.mark(unit, "abandoned")
    return False


def _bounds(unit: Unit, date_column: Column, zone: ZoneInfo) -> tuple[date | datetime, date | datetime]:
    after = unit.days[-1] + ONE_DAY
    if date_column.type is Type.DATE:
        return unit.days[0], after
    return first_instant(unit.days[0], zone), first_instant(after, zone)
