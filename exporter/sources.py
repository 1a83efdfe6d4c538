"""Extractors → the tables that they fill, as BigQuery and the ledger know them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from exporter import steps
from exporter.entries import TableLedger
from exporter.errors import TableError
from exporter.run import Source
from exporter.workers import by_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.extractors import BaseExtractor
    from exporter.metadata import Table
    from exporter.run import Run


def sources_of(run: Run, extractors: Sequence[BaseExtractor[Any]]) -> Sequence[tuple[Source, TableLedger]]:
    """In their order, without those whose table is not there, which are reported as failed.

    Raises WarehouseError, and TableError where there is no ledger.
    """
    names = [extractor.get_table_name() for extractor in extractors]
    assumed, ask = run.warehouse.location, partial(run.ledger.read, names)
    calls: list[Callable[[], Any]] = [ask, *(partial(run.warehouse.table, name) for name in names)]
    # With several workers nobody waits for the ledger, which is read beside the tables.
    read, *lookups = by_workers(calls, run.interrupts, workers=run.options.workers + (run.options.workers > 1))
    tables: dict[str, Table] = {}
    for name, look in zip(names, lookups, strict=True):
        try:
            tables[name] = look()
        except TableError as error:
            run.reporter.failed(name, error)
    if not tables:
        return []
    if run.warehouse.location != assumed:
        read = ask  # where the tables are: before, it was asked for in another location
    known = read()
    steps.reached("ledger read")
    return [
        (
            Source(extractor=extractor, table=table, name=run.warehouse.name(name), zone=run.settings.zone),
            known.get((name, table.created), TableLedger()),
        )
        for name, extractor in zip(names, extractors, strict=True)
        if (table := tables.get(name)) is not None
    ]
