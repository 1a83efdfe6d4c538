"""Local days → windows of instants."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

ONE_DAY, SECOND = timedelta(days=1), timedelta(seconds=1)

FIRST_DAY, LAST_DAY = date(2, 1, 1), date(9998, 12, 31)
"""Python's calendar ends where a zone's offset would lead out of the years 1 to 9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The instants of one local day: `start` inclusive, `end` exclusive, aware, in the day's own zone."""

    day: date
    start: datetime
    end: datetime

    @property
    def is_empty(self) -> bool:
        """A zone skipped the day (Apia, 2011-12-30): it has no instants."""
        # Compared in UTC: two datetimes that share a zone are compared by their wall clocks.
        return self.start.astimezone(UTC) == self.end.astimezone(UTC)


def window(day: date, zone: ZoneInfo) -> Window:
    """23, 24 or 25 hours, or none where a zone skipped the day."""
    return Window(day=day, start=first_instant(day, zone), end=first_instant(day + ONE_DAY, zone))


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, aware, in `zone`."""
    # Through UTC: a midnight that happens twice becomes the first of the two, one that the clocks skip an instant after
    # the gap. Start + 24 hours would be wrong on both days.
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    start = midnight.astimezone(UTC)
    skipped = start.astimezone(zone).replace(tzinfo=None) - midnight.replace(tzinfo=None)
    if skipped:
        # A gap mostly begins at midnight, and this is the first instant after it. Toronto's of 1919 began at 23:30.
        earliest = start - skipped
        reached = bisect_left(
            range(skipped // SECOND), day, key=lambda n: (earliest + n * SECOND).astimezone(zone).date()
        )
        start = earliest + reached * SECOND
    return start.astimezone(zone)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The local day whose window holds an instant (aware); beyond the calendar's ends, its first or last day."""
    instant = instant.astimezone(UTC)
    if instant < first_instant(FIRST_DAY, zone):
        return FIRST_DAY
    if instant >= first_instant(LAST_DAY, zone):
        return LAST_DAY
    # Asked of the windows themselves: where clocks are set back across midnight, the local date of an instant
    # can be a day that has ended already.
    day = instant.astimezone(zone).date() + ONE_DAY
    while first_instant(day, zone) > instant:
        day -= ONE_DAY
    return day


def last_finished_day(now: datetime, zone: ZoneInfo, settle_delay: timedelta) -> date:
    """The last local day that ended at least `settle_delay` before `now` (aware)."""
    return day_of(now.astimezone(UTC) - settle_delay, zone) - ONE_DAY


def days_between(first: date, last: date) -> Iterator[date]:
    """From `first` to `last`, both included; none when `first` is after `last`."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
