"""The ledger and BigQuery's tables → how far each table is exported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from exporter.days import ONE_DAY, last_finished_day
from exporter.entries import TableLedger
from exporter.errors import TableError
from exporter.ledger import Ledger
from exporter.run import written_days
from exporter.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from exporter.conf import Settings
    from exporter.extractors import BaseExtractor
    from exporter.metadata import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStatus:
    """One table. `first_day` and `last_day` are None while nothing is exported."""

    table: str
    first_day: date | None = None
    last_day: date | None = None
    rows: int = 0
    lag_days: int | None = None
    """Days that have ended, settled, and are not exported."""
    in_doubt: tuple[str, ...] = ()
    """Units that are prepared and not known to be committed, by their days."""
    in_doubt_since: datetime | None = None
    """When the first of them was prepared, by BigQuery's clock; None also when the ledger has just been lost."""
    abandoned: tuple[str, ...] = ()
    """Days whose streams are gone, and that are not exported again yet."""
    being_replaced: str | None = None
    """Days whose replacement was begun and is not known to be done."""
    replaced_days: int = 0
    adopted_day: date | None = None
    """The last day that was in the table before this exporter came to it."""
    problem: str | None = None


def table_statuses(settings: Settings, extractors: Sequence[BaseExtractor[Any]], *, now: datetime) -> list[TableStatus]:
    """Raises SettingsError and WarehouseError; a table that is missing is a status."""
    warehouse = Warehouse(settings)
    found: dict[str, Table | TableError] = {}
    for extractor in extractors:
        table_id = extractor.get_table_name()
        try:
            found[table_id] = warehouse.table(table_id)
        except TableError as error:
            found[table_id] = error
    there = [table_id for table_id, table in found.items() if not isinstance(table, TableError)]
    ledger = Ledger(warehouse, time_zone=settings.zone.key)
    known = ledger.read(there) if there else {}
    last = last_finished_day(now, settings.zone, settings.settle_delay)
    return [
        TableStatus(table=table_id, problem=str(table))
        if isinstance(table, TableError)
        else _status(ledger, table_id, known.get((table_id, table.created), TableLedger()), settings, last)
        for table_id, table in found.items()
    ]


def _status(ledger: Ledger, table_id: str, known: TableLedger, settings: Settings, last: date) -> TableStatus:
    head = known.head or (known.first_day or settings.first_date) - ONE_DAY
    return TableStatus(
        table=table_id,
        first_day=known.first_day,
        last_day=known.head,
        rows=known.rows,
        lag_days=max(0, (last - head).days),
        in_doubt=tuple(written_days(unit.days) for unit in known.in_doubt),
        in_doubt_since=ledger.state(known.in_doubt[0]).prepared_at if known.in_doubt else None,
        abandoned=tuple(_ranges(known.abandoned)),
        being_replaced=written_days(known.undone.days) if known.undone else None,
        replaced_days=known.replaced_days,
        adopted_day=known.adopted_day,
    )


def _ranges(days: Iterable[date]) -> Iterator[str]:
    """Consecutive days as messages write them."""
    # A day and its position both grow by one from each day to the next.
    for _, members in groupby(enumerate(sorted(days)), key=lambda pair: pair[1] - timedelta(days=pair[0])):
        yield written_days([day for _, day in members])
