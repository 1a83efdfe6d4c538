"""The ledger read, rows counted, the ledger read again → the rows of each day that it knows, and those of none.

An export may go on meanwhile. It writes into the ledger what it is about to make visible, and rows come only then: so
those of a unit that came in between are of a day that the second reading knows, and a day that both readings tell alike
has the rows that they tell, or is said to be in doubt or being replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.annotations import Type
from exporter.counts import rows_by_bound
from exporter.days import FIRST_DAY, ONE_DAY, first_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from exporter.entries import DayEntry
    from exporter.ledger import Ledger
    from exporter.run import Source
    from exporter.warehouse import Warehouse

# While a run commits units, a reading of the ledger is soon out of date.
_MAX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The days to look at; None: no limit."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Rows of no day that the ledger knows, within the scope."""

    before: int = 0
    """The first day; all where the ledger knows no day."""
    between: int = 0
    after: int = 0
    """The last day."""
    undated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """One table."""

    known: tuple[date, date] | None
    """The first and the last day of the ledger, in the scope or not."""
    entries: tuple[DayEntry, ...]
    """In the scope, in order, and the same in both readings."""
    changed: int
    """Days in the scope that are not the same in both."""
    rows: Mapping[date, int]
    """In BigQuery; a day that has none is not there."""
    stray: Stray


def census(warehouse: Warehouse, ledger: Ledger, source: Source, scope: Scope) -> Census:
    """Raises WarehouseError, and TableError when the table was made again meanwhile."""
    after = _entries(ledger, source)
    for _ in range(_MAX_TRIES):
        before = after
        rows, undated = _rows(warehouse, source, before, scope)
        after = _entries(ledger, source)
        if after == before:
            break
    warehouse.refuse_another(source.table)
    entries = tuple(entry for day, entry in before.items() if day in scope and after.get(day) == entry)
    changed = sum(day in scope for day in before.keys() | after.keys()) - len(entries)
    return Census(
        known=(min(before), max(before)) if before else None,
        entries=entries,
        changed=changed,
        rows={day: count for day, count in rows.items() if day is not None},
        # Days that only the second reading knows would seem stray: the next time tells.
        stray=_stray(before, rows, undated, scope) if after == before else Stray(),
    )


def _entries(ledger: Ledger, source: Source) -> dict[date, DayEntry]:
    """By day, in order. What was there before the last adopted day is not ours to judge."""
    entries = ledger.days(source.table)
    adopted = max((entry.day for entry in entries if entry.state == "adopted"), default=FIRST_DAY)
    return {entry.day: entry for entry in entries if entry.day >= adopted}


def _rows(
    warehouse: Warehouse, source: Source, known: Iterable[date], scope: Scope
) -> tuple[Mapping[date | None, int], int]:
    """By the day from which on rows were counted (None: before all of these), and those without a date."""
    days = {day for day in known if day in scope} | ({scope.first} if scope.first else set())
    ends = {day + ONE_DAY for day in days} | ({scope.last + ONE_DAY} if scope.last else set())
    cuts = sorted(days | ends) or [FIRST_DAY]
    column = source.date_column
    bounds = cuts if column.type is Type.DATE else [first_instant(day, source.zone) for day in cuts]
    found = rows_by_bound(warehouse, source.table.table_id, column.name, bounds)
    return {cuts[n - 1] if n else None: rows for n, rows in found.items() if n is not None}, found.get(None, 0)


def _stray(known: Mapping[date, DayEntry], rows: Mapping[date | None, int], undated: int, scope: Scope) -> Stray:
    first, last = (min(known), max(known)) if known else (None, None)
    before = between = after = 0
    for cut, count in rows.items():
        if cut in known or (cut is None and scope.first) or (cut and cut not in scope):
            continue
        if cut is None or first is None or cut < first:
            before += count
        elif last is None or cut > last:
            after += count
        else:
            between += count
    if first is not None and known[first].state == "adopted":
        before = 0
    return Stray(before=before, between=between, after=after, undated=0 if scope.first or scope.last else undated)
