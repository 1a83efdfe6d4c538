"""What one run has, and what it exports."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exporter.annotations import Type
from exporter.days import ONE_DAY, first_instant
from exporter.progress import UnitReport
from exporter.tables import table_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from exporter.conf import Settings
    from exporter.entries import Replacement, Unit
    from exporter.extractors import BaseExtractor
    from exporter.interrupts import Interrupts
    from exporter.ledger import Ledger
    from exporter.metadata import Table
    from exporter.progress import Reporter
    from exporter.schema import Column
    from exporter.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked to do."""

    first: date | None = None
    """Must be the first open day of each table: a day is exported once, and none is left out."""
    last: date | None = None
    replace: bool = False
    """Exchange the rows of the days from `first` to `last`, which are exported, for what the extractors yield now."""
    dry_run: bool = False
    workers: int = 1
    """How many tables are exported at once."""
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the command."""

    settings: Settings
    warehouse: Warehouse
    ledger: Ledger
    options: Options
    reporter: Reporter
    interrupts: Interrupts

    def report(self, entry: Unit | Replacement, outcome: str, started: float) -> None:
        """A line for a unit or a replacement that is done, begun at `started` by the monotonic clock."""
        self.reporter.unit(
            UnitReport(
                table=entry.table_id,
                first_day=entry.days[0],
                last_day=entry.days[-1],
                rows=entry.rows,
                outcome=outcome,
                seconds=time.monotonic() - started,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table to export: where its rows come from and where they go."""

    extractor: BaseExtractor[Any]
    table: Table
    name: str
    """`project.dataset.table`, as messages and SQL write it."""
    zone: ZoneInfo

    @property
    def date_column(self) -> Column:
        """The column that tells which day a row belongs to."""
        name = self.extractor.get_date_field()
        return next(column for column in table_columns(self.extractor) if column.name == name)

    def bounds(self, first: date, last: date) -> tuple[date | datetime, date | datetime]:
        """The values of the date column that days from `first` to `last` have: start inclusive, end exclusive."""
        if self.date_column.type is Type.DATE:
            return first, last + ONE_DAY
        return first_instant(first, self.zone), first_instant(last + ONE_DAY, self.zone)


def written_days(days: Sequence[date]) -> str:
    """As messages write consecutive days."""
    return f"{days[0]}" if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
