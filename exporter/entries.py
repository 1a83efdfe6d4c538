"""What the ledger tells of: units, replacements, days and tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Consecutive days of one table that become visible together, by committing `streams`."""

    table_id: str
    table_created: datetime
    days: tuple[date, ...]
    row_counts: tuple[int, ...]
    generation: int
    streams: tuple[str, ...]
    run_id: str

    @property
    def rows(self) -> int:
        return sum(self.row_counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Consecutive days of one table whose rows are exchanged together for those of a staging table."""

    table_id: str
    table_created: datetime
    days: tuple[date, ...]
    row_counts: tuple[int, ...]
    number: int
    """1 for the first of this table: n + 1 begins when n is done."""
    staging: str
    """`project.dataset.table`, of this replacement alone."""
    run_id: str

    @property
    def rows(self) -> int:
        return sum(self.row_counts)

    @property
    def generation(self) -> int:
        """As the ledger's column."""
        return self.number

    @property
    def streams(self) -> tuple[str, ...]:
        """As the ledger's column."""
        return (self.staging,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLedger:
    """What the ledger knows of one table. Of an empty ledger: nothing."""

    first_day: date | None = None
    head: date | None = None
    """The last day before the first that is open; None: the first day is open."""
    adopted_day: date | None = None
    """The last day that was in the table before this exporter came to it."""
    rows: int = 0
    time_zone: str | None = None
    in_doubt: tuple[Unit, ...] = ()
    abandoned: Mapping[date, int] = field(default_factory=dict)
    """Open days and their last generation."""
    replacements: int = 0
    """How many were begun."""
    undone: Replacement | None = None
    """The last one, when it is not known to be done."""
    replaced_days: int = 0

    def exported(self, unit: Unit) -> TableLedger:
        """After our own unit, without asking the ledger again."""
        return replace(self, first_day=self.first_day or unit.days[0], head=unit.days[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """What the ledger says of a unit whose streams BigQuery does not commit. Instants are BigQuery's, UTC."""

    prepared_at: datetime | None
    now: datetime
    committed: bool
    abandoned: bool
    """Also: there is a later generation of its first day, or the ledger has lost the unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEntry:
    """One day of one table in its latest generation."""

    day: date
    generation: int
    state: str
    """committed (also a day without rows, which needs no commit); adopted; prepared: in doubt; abandoned: open."""
    row_count: int
    """What BigQuery should hold: of the last replacement, if there was one."""
    replacement: int | None
    """The number of the last replacement that is done."""
    undone: int | None
    """The number of one that is not known to be done: `row_count` may be what BigQuery holds, or not any more."""


def units_of(table_id: str, table_created: datetime, rows: Iterable[Mapping[str, Any]]) -> Sequence[Unit]:
    """Rows of one prepare share their run, their generation and their streams."""
    grouped: dict[tuple[str, int, tuple[str, ...]], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["run_id"], row["generation"], tuple(row["streams"])].append(row)
    return [
        Unit(
            table_id=table_id,
            table_created=table_created,
            days=tuple(row["day"] for row in members),
            row_counts=tuple(row["row_count"] for row in members),
            generation=generation,
            streams=streams,
            run_id=run_id,
        )
        for (run_id, generation, streams), members in grouped.items()
    ]
