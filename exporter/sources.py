"""Extractors → the tables that they fill, as BigQuery and the ledger know them."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from exporter import steps
from exporter.entries import TableLedger
from exporter.errors import ExporterError, TableError
from exporter.run import Source
from exporter.shield import begun
from exporter.workers import by_workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.extractors import BaseExtractor
    from exporter.metadata import Table
    from exporter.run import Run


def sources_of(run: Run, extractors: Sequence[BaseExtractor[Any]]) -> Sequence[tuple[Source, TableLedger]]:
    """In their order, without those whose table is not there, which are reported as failed.

    Raises WarehouseError, and TableError where there is no ledger.
    """
    names = [extractor.get_table_name() for extractor in extractors]
    assumed, ask = run.warehouse.location, partial(run.ledger.read, names)
    read = begun(ask)  # beside the tables
    tables: dict[str, Table] = {}
    is_wanted = False
    try:
        tables = _found(run, names)
        is_wanted = bool(tables) and run.warehouse.location == assumed
    finally:
        if not is_wanted and not run.interrupts.arrived:
            with suppress(ExporterError):
                read()  # nothing is left behind
    if not tables:
        return []
    known = read() if is_wanted else ask()  # where the tables are: before, it was asked for in another location
    steps.reached("ledger read")
    return [
        (
            Source(extractor=extractor, table=table, name=run.warehouse.name(name), zone=run.settings.zone),
            known.get((name, table.created), TableLedger()),
        )
        for name, extractor in zip(names, extractors, strict=True)
        if (table := tables.get(name)) is not None
    ]


def _found(run: Run, names: Sequence[str]) -> dict[str, Table]:
    """Those that are there; the others are reported. Raises WarehouseError."""
    lookups = by_workers(
        [partial(run.warehouse.table, name) for name in names], run.interrupts, workers=run.options.workers
    )
    tables = {}
    for name, look in zip(names, lookups, strict=True):
        try:
            tables[name] = look()
        except TableError as error:
            run.reporter.failed(name, error)
    return tables
