"""Extractors, the ledger and BigQuery meet here: all open days of the tables → committed units. Never prints."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from exporter import steps
from exporter.days import ONE_DAY, last_finished_day
from exporter.doubt import is_committed_after_all
from exporter.errors import DayError, ExporterError, LedgerError, StreamsGoneError, TableError
from exporter.ledger import Ledger, TableLedger
from exporter.matching import match_columns
from exporter.progress import UnitReport
from exporter.tables import table_columns
from exporter.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.conf import Settings
    from exporter.extractors import BaseExtractor
    from exporter.interrupts import Interrupts
    from exporter.ledger import Unit
    from exporter.progress import Reporter
    from exporter.schema import Column
    from exporter.unit import Source
    from exporter.warehouse import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked to do."""

    first: date | None = None
    """Must be the first open day of each table: a day is exported once, and none is left out."""
    last: date | None = None
    dry_run: bool = False
    run_id: str


def export(
    settings: Settings,
    extractors: Sequence[BaseExtractor[Any]],
    options: Options,
    reporter: Reporter,
    interrupts: Interrupts,
) -> list[str]:
    """Export all open days of the extractors' tables; the names of the tables that failed.

    Raises SettingsError and WarehouseError where nothing can be exported at all.
    """
    warehouse = Warehouse(settings)
    failed: list[str] = []
    # Tables before ledger: rows that are seen here were prepared before the ledger is read, so it knows them.
    tables: dict[str, Table] = {}
    for extractor in extractors:
        table_id = extractor.get_table_name()
        try:
            tables[table_id] = warehouse.table(table_id)
        except TableError as error:
            reporter.failed(table_id, error)
            failed.append(table_id)
    if not tables:
        return failed
    ledger = Ledger(warehouse, time_zone=settings.zone.key)
    known = ledger.read(list(tables))
    steps.reached("ledger read")
    for extractor in extractors:
        table_id = extractor.get_table_name()
        if table_id in failed:
            continue
        table = tables[table_id]
        run = _TableRun(settings, warehouse, ledger, options, reporter, interrupts, extractor, table)
        try:
            run.export(known.get((table_id, table.created), TableLedger()))
        except ExporterError as error:
            reporter.failed(table_id, error)
            failed.append(table_id)
    return failed


class _TableRun:
    """One table in one run."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a run has
        self,
        settings: Settings,
        warehouse: Warehouse,
        ledger: Ledger,
        options: Options,
        reporter: Reporter,
        interrupts: Interrupts,
        extractor: BaseExtractor[Any],
        table: Table,
    ) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._ledger = ledger
        self._options = options
        self._reporter = reporter
        self._interrupts = interrupts
        self._extractor = extractor
        self._table = table

    def export(self, known: TableLedger) -> None:
        """Recover what is in doubt, then export unit by unit. Raises ExporterError."""
        name = self._warehouse.name(self._table.table_id)
        for notice in match_columns(name, table_columns(self._extractor), self._table.fields):
            self._reporter.notice(self._table.table_id, notice)
        head = self._checked_head(known)
        again = [] if self._options.dry_run else self._recover(known)
        if again:
            head = again[0].days[0] - ONE_DAY
        self._refuse_other_first(head)
        last = last_finished_day(datetime.now(UTC), self._settings.zone, self._settings.settle_delay)
        if self._options.last is not None:
            last = min(last, self._options.last)
        if head >= last:
            self._reporter.nothing_new(self._table.table_id, head)
        for unit in again:  # exactly its days, as the generation after
            while head < unit.days[-1]:
                head = self._export_unit(head + ONE_DAY, unit.days[-1], unit.generation + 1)
        while head < last:
            first = head + ONE_DAY
            head = self._export_unit(first, last, known.abandoned.get(first, -1) + 1)

    def _export_unit(self, first: date, last: date, generation: int) -> date:
        """The new head."""
        # Imported here: a run with nothing to do needs neither Arrow nor gRPC.
        from exporter.unit import Draft, settle  # noqa: PLC0415

        started = time.monotonic()
        with Draft(self._warehouse, self._source(), dry_run=self._options.dry_run) as draft:
            draft.read(first, last, lambda day, rows: self._reporter.reading(self._table.table_id, day, rows))
            outcome = "would commit"
            unit = draft.finalize(run_id=self._options.run_id, generation=generation)
            if not self._options.dry_run:
                with self._interrupts.held():
                    winner = settle(self._warehouse, self._ledger, unit)
                    outcome = "committed" if winner == unit else "committed by another run"
                    unit = winner
                    self._report(unit.days, unit.rows, outcome, started)
            else:
                self._report(unit.days, unit.rows, outcome, started)
        if draft.failure is not None and unit.days == tuple(draft.days):
            raise draft.failure
        return unit.days[-1]

    def _recover(self, known: TableLedger) -> list[Unit]:
        """Commit what was prepared and is in doubt; the units that are lost, to be done again."""
        return [unit for unit in known.in_doubt if not self._recover_unit(unit)]

    def _recover_unit(self, unit: Unit) -> bool:
        from exporter.unit import commit_prepared  # noqa: PLC0415 - as above

        started = time.monotonic()
        recovered = True
        with self._interrupts.held():
            try:
                commit_prepared(self._warehouse, self._ledger, unit)
            except StreamsGoneError:
                recovered = is_committed_after_all(
                    self._warehouse,
                    self._ledger,
                    unit,
                    date_column=self._date_column(),
                    zone=self._settings.zone,
                )
            self._report(unit.days, unit.rows, "recovered" if recovered else "abandoned", started)
        return recovered

    def _date_column(self) -> Column:
        name = self._extractor.get_date_field()
        return next(column for column in table_columns(self._extractor) if column.name == name)

    def _report(self, days: Sequence[date], rows: int, outcome: str, started: float) -> None:
        self._reporter.unit(
            UnitReport(
                table=self._table.table_id,
                first_day=days[0],
                last_day=days[-1],
                rows=rows,
                outcome=outcome,
                seconds=time.monotonic() - started,
            )
        )

    def _source(self) -> Source:
        from exporter.unit import Source  # noqa: PLC0415 - as above

        return Source(extractor=self._extractor, table=self._table, zone=self._settings.zone)

    def _checked_head(self, known: TableLedger) -> date:
        name = self._warehouse.name(self._table.table_id)
        zone = self._settings.zone.key
        if known.first_day is None:
            if self._table.rows:
                raise LedgerError(
                    location=name,
                    problem=f"holds {self._table.rows:,} rows that the ledger does not know.",
                    remedy="Export into a new table (a new dataclass name gives one), or empty this one.",
                )
            return self._settings.first_date - ONE_DAY
        if known.time_zone != zone:
            raise LedgerError(
                location=name,
                problem=f"its days are local to {known.time_zone}, and TIME_ZONE is {zone} now: days would overlap.",
                remedy=f"Set TIME_ZONE back to {known.time_zone!r}, or export into a new table.",
            )
        if self._settings.first_date < known.first_day:
            raise LedgerError(
                location=name,
                problem=f"SMOLQWERY_FIRST_DATE {self._settings.first_date} is before the first exported day, "
                f"{known.first_day}: earlier days cannot be added.",
                remedy=f"Set it to {known.first_day}, or export into a new table (a new dataclass name gives one).",
            )
        return known.head or known.first_day - ONE_DAY

    def _refuse_other_first(self, head: date) -> None:
        first = self._options.first
        if first is None or first == head + ONE_DAY:
            return
        location = f"--from {first}, {self._warehouse.name(self._table.table_id)}"
        if first > head:
            raise DayError(
                location=location,
                problem=f"the days from {head + ONE_DAY} would be left out.",
                remedy=f"Leave --from out, or give --from {head + ONE_DAY}.",
            )
        raise DayError(
            location=location,
            problem=f"exported already, to {head}: its rows would be there twice.",
            remedy=f"Leave --from out, or give --from {head + ONE_DAY}.",
        )
