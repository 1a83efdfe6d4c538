"""Days with what the ledger, BigQuery and the extractor say of them → where they differ, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING

from exporter.run import written_days

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Sequence

    from exporter.census import Census
    from exporter.entries import DayEntry
    from exporter.errors import ExporterError
    from exporter.run import Source


class Outcome(Enum):
    """What verifying a day came to: as written of one day, and of more."""

    AGREES = ("agrees", "agree")
    DIFFERS = ("differs", "differ")
    IN_DOUBT = ("is in doubt", "are in doubt")
    BEING_REPLACED = ("is being replaced", "are being replaced")
    OPEN = ("is open", "are open")
    EXPIRED = ("may have expired", "may have expired")
    CHANGED = ("has changed meanwhile", "have changed meanwhile")

    def written(self, days: int) -> str:
        """After the number of days."""
        return self.value[days != 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Location, problem and remedy, as errors have them."""

    location: str
    problem: str
    remedy: str
    days: int = 0

    def __str__(self) -> str:
        return f"{self.location}: {self.problem}\n  {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """One day that the ledger knows."""

    entry: DayEntry
    found: int
    """Rows in BigQuery."""
    yielded: int | ExporterError | None = None
    """Rows that the extractor yields now, or why it does not; None: not asked."""
    expired: bool = False
    """BigQuery may have dropped its rows, by age."""

    @property
    def outcome(self) -> Outcome:
        if self.entry.state == "prepared":
            return Outcome.IN_DOUBT
        if self.entry.undone is not None:
            return Outcome.BEING_REPLACED
        if self.entry.state == "abandoned":
            return Outcome.DIFFERS if self.found else Outcome.OPEN
        if self.expired:
            return Outcome.EXPIRED
        return Outcome.AGREES if self.signs == (0, 0) else Outcome.DIFFERS

    @property
    def signs(self) -> tuple[int, int]:
        """Whether BigQuery's rows are too many (1), too few (-1) or right: by the ledger, and by the extractor."""
        if isinstance(self.yielded, Exception):
            return 0, 1
        yielded = self.found if self.yielded is None else self.yielded
        return _sign(self.found - self.entry.row_count), _sign(self.found - yielded)

    @property
    def likeness(self) -> object:
        """What days have in common that are one difference. A refused row is like nothing but itself."""
        if self.outcome is not Outcome.DIFFERS:
            return self.outcome, self.entry.undone
        if self.entry.state == "abandoned":
            return self.entry.state
        return self.yielded if isinstance(self.yielded, Exception) else self.signs


def day_differences(source: Source, counts: Iterable[DayCount]) -> Iterator[Difference]:
    """Consecutive days that differ in the same way are one difference. `counts` are in order."""
    quiet = (Outcome.AGREES, Outcome.EXPIRED, Outcome.OPEN)
    differing = [count for count in counts if count.outcome not in quiet]
    # A day and its position both grow by one from each day to the next.
    numbered = enumerate(differing)
    for _, alike in groupby(numbered, key=lambda pair: (pair[1].likeness, pair[1].entry.day - timedelta(days=pair[0]))):
        yield _difference(source, [count for _, count in alike])


def stray_differences(source: Source, found: Census) -> Iterator[Difference]:
    """Rows of no day that the ledger knows."""
    first, last = found.known or (None, None)
    stray, theirs = found.stray, "Something else writes to this table."
    adopts = "The next run goes on after the last day that has rows: manage.py smolqwery_extract"
    delete = f"{theirs} Delete them, or export into a new table (a new dataclass name gives one)."
    meets = f"{theirs} Delete them before these days are exported, or exchange them afterwards: --replace."
    for rows, where, remedy in (
        (stray.before, f", before {first}" if first else "", delete if first else f"{adopts} {source.table.table_id}"),
        (stray.between, f", between {first} and {last}", delete),
        (stray.after, f", after {last}", meets),
        (stray.undated, f", {source.date_column.name} NULL", f"{theirs} Delete them."),
    ):
        if rows:
            problem = f"{written_rows(rows)} that the ledger does not know."
            yield Difference(location=f"{source.name}{where}", problem=problem, remedy=remedy)


def written_rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def written_outcomes(outcomes: Counter[Outcome]) -> str:
    """`30 days agree, 1 day differs`."""
    return ", ".join(
        f"{days} {'day' if days == 1 else 'days'} {outcome.written(days)}"
        for outcome in Outcome
        if (days := outcomes[outcome])
    )


def _difference(source: Source, counts: Sequence[DayCount]) -> Difference:
    first, table = counts[0], source.table.table_id
    days = written_days([count.entry.day for count in counts])
    found, recorded = sum(count.found for count in counts), sum(count.entry.row_count for count in counts)
    options = f"--from {first.entry.day} --to {counts[-1].entry.day}"
    replace = f"manage.py smolqwery_extract {table} --replace {options}"
    location = f"{source.name}, {days}"
    if first.outcome is Outcome.IN_DOUBT:
        problem = f"in doubt: {written_rows(recorded)} prepared, {found:,} in BigQuery, not known to be committed."
        remedy = f"The next run commits or decides: manage.py smolqwery_extract {table}"
    elif first.outcome is Outcome.BEING_REPLACED:
        problem = f"replacement {first.entry.undone} of this table was begun and is not known to be done."
        remedy = f"The next run finishes it: manage.py smolqwery_extract {table}"
    elif first.entry.state == "abandoned":
        problem = f"abandoned, to be exported again, and {written_rows(found)} in BigQuery."
        remedy = f"Delete the rows before the next run, or exchange them after it: {replace}"
    elif isinstance(first.yielded, Exception):
        location, problem, remedy = first.yielded.location, first.yielded.problem, first.yielded.remedy
    else:
        problem = f"{written_rows(recorded)} by the ledger, {found:,} in BigQuery"
        if first.yielded is not None:
            problem += (
                f", {sum(count.yielded for count in counts if isinstance(count.yielded, int)):,} by the extractor"
            )
        problem += "."
        cause = "Something else wrote or deleted rows" if first.signs[0] else "The source has changed since the export"
        remedy = f"{cause}. Exchange them for what the extractor yields: {replace}"
    return Difference(location=location, problem=problem, remedy=remedy, days=len(counts))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
