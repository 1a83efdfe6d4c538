"""The ledger, the settings and the options → the days to export, or why not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from exporter.days import ONE_DAY, last_finished_day
from exporter.errors import DayError, LedgerError

if TYPE_CHECKING:
    from exporter.entries import TableLedger
    from exporter.run import Run, Source


def refuse_other_settings(run: Run, source: Source, known: TableLedger) -> None:
    """Raise LedgerError when the days of this table are not those of the settings now."""
    if known.first_day is None:
        return
    if known.time_zone not in {None, source.zone.key}:  # None: begun by this run
        raise LedgerError(
            location=source.name,
            problem=f"its days are local to {known.time_zone}, and TIME_ZONE is {source.zone.key} now: days would "
            "overlap.",
            remedy=f"Set TIME_ZONE back to {known.time_zone!r}, or export into a new table.",
        )
    if run.settings.first_date < known.first_day and known.adopted_day is None:
        raise LedgerError(
            location=source.name,
            problem=f"SMOLQWERY_FIRST_DATE {run.settings.first_date} is before the first exported day, "
            f"{known.first_day}: earlier days cannot be added.",
            remedy=f"Set it to {known.first_day}, or export into a new table (a new dataclass name gives one).",
        )


def head_of(run: Run, known: TableLedger) -> date:
    """The day before the first that is open."""
    return known.head or (known.first_day or run.settings.first_date) - ONE_DAY


def last_day(run: Run) -> date:
    """The last day to export: settled, and not after --to."""
    last = last_finished_day(datetime.now(UTC), run.settings.zone, run.settings.settle_delay)
    return min(last, run.options.last or last)


def last_to_redo(known: TableLedger, first: date, last: date) -> date:
    """The days of an abandoned unit are done again as they were: none beyond them shares their generation."""
    if first not in known.abandoned:
        return last
    day = first
    while day < last and known.abandoned.get(day + ONE_DAY) == known.abandoned[first]:
        day += ONE_DAY
    return day


def refuse_other_first(run: Run, source: Source, head: date) -> None:
    """Raise DayError when --from is not the first open day."""
    first = run.options.first
    if first is None or first == head + ONE_DAY:
        return
    location = f"--from {first}, {source.name}"
    if first > head:
        raise DayError(
            location=location,
            problem=f"the days from {head + ONE_DAY} would be left out.",
            remedy=f"Leave --from out, or give --from {head + ONE_DAY}.",
        )
    raise DayError(
        location=location,
        problem=f"exported already, to {head}: its rows would be there twice.",
        remedy=f"Leave --from out, give --from {head + ONE_DAY}, or add --replace to exchange exported days.",
    )
