"""Extractors, the ledger and BigQuery meet here: all open days of the tables → committed units. Never prints."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from exporter import steps
from exporter.adoption import adopted
from exporter.bounds import head_of, last_day, last_to_redo, refuse_other_first, refuse_other_settings
from exporter.days import ONE_DAY
from exporter.errors import ExporterError, LedgerError
from exporter.ledger import Ledger
from exporter.matching import match_columns
from exporter.recovery import commit_unit, recovered
from exporter.run import Options, Run, Source
from exporter.sources import sources_of
from exporter.tables import table_columns
from exporter.warehouse import Warehouse
from exporter.workers import by_workers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from exporter.conf import Settings
    from exporter.entries import TableLedger, Unit
    from exporter.extractors import BaseExtractor
    from exporter.interrupts import Interrupts
    from exporter.progress import Reporter


def export(
    settings: Settings,
    extractors: Sequence[BaseExtractor[Any]],
    options: Options,
    reporter: Reporter,
    interrupts: Interrupts,
) -> list[str]:
    """Export all open days of the extractors' tables, or replace days; the names of the tables that failed.

    Raises SettingsError and WarehouseError where nothing can be exported at all.
    """
    warehouse = Warehouse(settings)
    run = Run(
        settings=settings,
        warehouse=warehouse,
        ledger=Ledger(warehouse, time_zone=settings.zone.key),
        options=options,
        reporter=reporter,
        interrupts=interrupts,
    )
    sources = sources_of(run, extractors)
    last = last_day(run)
    is_open = options.replace or any(known.head is None or known.head < last for _, known in sources)
    exports = by_workers(
        [partial(_is_exported, run, source, known) for source, known in sources],
        interrupts,
        workers=options.workers,
        meanwhile=partial(_get_ready, warehouse) if is_open else lambda: None,
    )
    exported = set()
    for (source, _), is_exported in zip(sources, exports, strict=True):
        if is_exported():
            exported.add(source.table.table_id)
    return [name for name in (extractor.get_table_name() for extractor in extractors) if name not in exported]


def _get_ready(warehouse: Warehouse) -> None:
    """While the workers wait for their first answers: to import these takes as long."""
    import exporter.drafts  # noqa: PLC0415 - a run with nothing to do needs neither Arrow nor gRPC

    del exporter
    warehouse.write_client  # noqa: B018 - makes it


def _is_exported(run: Run, source: Source, known: TableLedger) -> bool:
    """False: it failed, and that is reported; the other tables go on."""
    try:
        _export_table(run, source, known)
    except ExporterError as error:
        run.interrupts.look()  # what was cancelled has not failed
        run.reporter.failed(source.table.table_id, error)
        return False
    return True


def _export_table(run: Run, source: Source, known: TableLedger) -> None:
    """Recover what is in doubt, then export unit by unit, or replace days. Raises ExporterError."""
    for notice in match_columns(source.name, table_columns(source.extractor), source.table.fields):
        run.reporter.notice(source.table.table_id, notice)
    refuse_other_settings(run, source, known)
    last = last_day(run)  # asked before: a day that ends after the look at its rows waits for the next run
    known = adopted(run, source, recovered(run, source, known))
    refuse_other_settings(run, source, known)  # again: another run may have begun the table since the ledger was read
    if run.options.replace and run.options.first and run.options.last:
        from exporter.replacement import replace_days  # noqa: PLC0415 - as in _export_unit

        replace_days(run, source, known, run.options.first, run.options.last)
        return
    head = head_of(run, known)
    refuse_other_first(run, source, head)
    if head >= last:
        run.reporter.nothing_new(source.table.table_id, head)
    while head < last:
        generation = known.abandoned.get(head + ONE_DAY, -1) + 1
        known = _export_unit(run, source, known, head + ONE_DAY, last_to_redo(known, head + ONE_DAY, last), generation)
        known = recovered(run, source, known)
        refuse_other_settings(run, source, known)
        if head_of(run, known) <= head and known.abandoned.get(head + ONE_DAY, -1) < generation:
            raise LedgerError(
                location=f"{source.name}, {head + ONE_DAY}",
                problem="another run holds this day, and the ledger does not tell.",
                remedy="Run the command again.",
            )
        head = head_of(run, known)


def _export_unit(  # noqa: PLR0913, PLR0917 - what a unit is
    run: Run, source: Source, known: TableLedger, first: date, last: date, generation: int
) -> TableLedger:
    """One unit from `first` on, at most to `last`: what is known of the table then."""
    # Imported here: a run with nothing to do needs neither Arrow nor gRPC.
    from exporter.drafts import drafted  # noqa: PLC0415

    started = time.monotonic()
    with drafted(run, source, source.name, lambda draft: draft.read(first, last)) as draft:
        unit = draft.finalize(run_id=run.options.run_id, generation=generation)
        if run.options.dry_run:
            holder: Unit | None = unit
            run.report(unit, "would commit", started)
            known = known.exported(unit)
        else:
            with run.interrupts.held(f"{source.name}, from {first} on, was committed"):
                run.warehouse.refuse_another(source.table)
                steps.reached("looked again")
                holder = run.ledger.prepare(unit, begins=known.first_day is None)
                steps.reached("prepared")
                known = _settled(run, source, known, unit, holder, started)
    if draft.failure is not None and holder == unit:
        raise draft.failure
    return known


def _settled(  # noqa: PLR0913, PLR0917 - as above
    run: Run, source: Source, known: TableLedger, unit: Unit, holder: Unit | None, started: float
) -> TableLedger:
    """The unit that holds these days now is committed, whoever prepared it."""
    if holder == unit:
        committed = commit_unit(run, source, unit)
        run.report(unit, "committed" if committed else "abandoned", started)
        return known.exported(unit) if committed else run.ledger.read_table(source.table)
    known = run.ledger.read_table(source.table)
    if holder is not None and known.head is not None and known.head >= holder.days[-1]:
        committed = True
        if holder in known.in_doubt:
            committed = commit_unit(run, source, holder)
            known = run.ledger.read_table(source.table)
        run.report(holder, "committed by another run" if committed else "abandoned", started)
    return known
