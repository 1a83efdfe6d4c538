"""The ledger, BigQuery and, if asked, the extractors → for each table, whether they agree, day by day. Never prints."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.utils import timezone

from exporter.census import census
from exporter.days import window
from exporter.differences import DayCount, Outcome, day_differences, stray_differences, written_outcomes, written_rows
from exporter.errors import ConnectionLostError, ExporterError, ExtractionError, LedgerError, TableError
from exporter.expiry import may_have_expired
from exporter.ledger import Ledger
from exporter.matching import match_columns
from exporter.run import Source, written_days
from exporter.snapshot import snapshot
from exporter.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from exporter.batches import Batches
    from exporter.census import Scope
    from exporter.conf import Settings
    from exporter.differences import Difference
    from exporter.extractors import BaseExtractor
    from exporter.metadata import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One table."""

    table: str
    days: tuple[date, ...] = ()
    """That the ledger knows, in order."""
    rows: int = 0
    """Of these days, in BigQuery."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    differences: tuple[Difference, ...] = ()
    error: ExporterError | None = None
    """Why the table could not be verified."""

    @property
    def agrees(self) -> bool:
        return self.error is None and not self.differences

    def __str__(self) -> str:
        days = f"{written_days(self.days)}  {written_rows(self.rows)}" if self.days else "no exported days"
        return "  ".join(part for part in (self.table, days, written_outcomes(self.outcomes)) if part)


def verify(
    settings: Settings, extractors: Sequence[BaseExtractor[Any]], scope: Scope, *, with_source: bool
) -> Iterator[Verdict]:
    """Table by table; `with_source` also asks the extractors how many rows they yield now.

    Raises SettingsError and WarehouseError where nothing can be verified at all.
    """
    warehouse = Warehouse(settings)
    ledger = Ledger(warehouse, time_zone=settings.zone.key)
    tables: dict[str, Table | TableError] = {}
    for extractor in extractors:
        table_id = extractor.get_table_name()
        try:
            tables[table_id] = warehouse.table(table_id)
        except TableError as error:
            tables[table_id] = error
    there = [table_id for table_id, table in tables.items() if not isinstance(table, TableError)]
    known = ledger.read(there) if there else {}
    for extractor, (table_id, table) in zip(extractors, tables.items(), strict=True):
        if isinstance(table, TableError):
            yield Verdict(table=table_id, error=table)
            continue
        source = Source(extractor=extractor, table=table, name=warehouse.name(table_id), zone=settings.zone)
        of_table = known.get((table_id, table.created))
        try:
            _require_comparable(source, of_table.time_zone if of_table else None)
            yield _verdict(warehouse, ledger, source, scope, with_source=with_source)
        except ExporterError as error:
            yield Verdict(table=table_id, error=error)


def _require_comparable(source: Source, time_zone: str | None) -> None:
    """Raise TableError or LedgerError: nothing tells which rows of the table are of which day."""
    name = source.date_column.name.lower()
    match_columns(
        source.name, [source.date_column], [known for known in source.table.fields if known.name.lower() == name]
    )
    if time_zone not in {None, source.zone.key}:
        raise LedgerError(
            location=source.name,
            problem=f"its days are local to {time_zone}, and TIME_ZONE is {source.zone.key} now.",
            remedy=f"Set TIME_ZONE back to {time_zone!r}.",
        )


def _verdict(warehouse: Warehouse, ledger: Ledger, source: Source, scope: Scope, *, with_source: bool) -> Verdict:
    found = census(warehouse, ledger, source, scope)
    now = timezone.now()  # after the count: what it has missed had expired by now
    counts = [
        DayCount(entry=entry, found=found.rows.get(entry.day, 0), expired=may_have_expired(source, entry.day, now))
        for entry in found.entries
    ]
    if with_source:
        counts = _with_source(source, counts)
    outcomes = Counter(count.outcome for count in counts)
    outcomes[Outcome.CHANGED] = found.changed
    return Verdict(
        table=source.table.table_id,
        days=tuple(count.entry.day for count in counts),
        rows=sum(count.found for count in counts),
        outcomes=outcomes,
        differences=(*stray_differences(source, found), *day_differences(source, counts)),
    )


def _with_source(source: Source, counts: Sequence[DayCount]) -> list[DayCount]:
    """Those that are compared with the ledger, also with the extractor. Raises ConnectionLostError."""
    # Imported here: without the extractors there is no need for Arrow.
    from exporter.reading import batches_of  # noqa: PLC0415

    batches = batches_of(source.extractor)
    compared = {Outcome.AGREES, Outcome.DIFFERS}
    return [
        replace(count, yielded=_yielded(source, batches, count.entry.day))
        if count.outcome in compared and count.entry.state != "abandoned"
        else count
        for count in counts
    ]


def _yielded(source: Source, batches: Batches, day: date) -> int | ExtractionError:
    """Rows that an export would write, or why it would not."""
    from exporter.reading import let_go, rows_of  # noqa: PLC0415 - as above

    alias, its_window = source.extractor.get_database(), window(day, source.zone)
    if its_window.is_empty:
        return 0
    try:
        # A snapshot a day: one over years of days would keep PostgreSQL from cleaning up for hours.
        with snapshot(alias), closing(rows_of(source.extractor, its_window)) as found:
            rows: int = sum(batch.num_rows for batch in batches.of_day(found, its_window))
            return rows
    except ConnectionLostError:
        connections[alias].close()  # the next table begins with a new one
        raise
    except ExtractionError as error:
        let_go(error)  # it is kept, the rows that it was raised for are not
        return error
