"""Windows of days, and the days of instants: what holds in every time zone there is."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.days import FIRST_DAY, LAST_DAY, ONE_DAY, SECOND, day_of, days_between, last_finished_day, window

ZONES = [ZoneInfo(key) for key in sorted(available_timezones() - {"localtime"})]

TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

days = st.dates(FIRST_DAY, LAST_DAY)
instants = st.datetimes(datetime(2, 1, 5), datetime(9998, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001

# Zones have changed their offsets since the 1840s. A look every three weeks finds also the months of Ramadan,
# when Morocco sets its clocks back.
SEARCHED, LOOK = (datetime(1840, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)), timedelta(weeks=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """A time in which a zone's clocks are not changed: from `start` to before `end`."""

    start: datetime
    end: datetime
    offset: timedelta

    def first_instant(self, day: date) -> datetime | None:
        """With this local date or a later one, if there is one."""
        at_midnight = datetime.combine(day, time.min, UTC) - self.offset
        return max(self.start, at_midnight) if at_midnight < self.end else None


def eras(zone: ZoneInfo) -> list[Era]:
    found, start, before = [], FIRST, SEARCHED[0]
    while before < SEARCHED[1]:
        after, offset = before + LOOK, _offset(before, zone)
        if _offset(after, zone) != offset:
            seconds = range(LOOK // SECOND)
            same = bisect_left(seconds, x=True, key=lambda n: _offset(before + n * SECOND, zone) != offset)
            after = before + same * SECOND
            found.append(Era(start=start, end=after, offset=offset))
            start = after
        before = after
    return [*found, Era(start=start, end=LAST, offset=_offset(before, zone))]


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Of its window, in UTC: datetimes that share another zone are compared by their wall clocks."""
    found = window(day, zone)
    start, end = found.start.astimezone(UTC), found.end.astimezone(UTC)
    assert found.start.tzinfo is found.end.tzinfo is zone
    assert found.is_empty == (start == end)
    return start, end


def assert_is_in_its_day(instant: datetime, zone: ZoneInfo) -> None:
    day = day_of(instant, zone)
    start, end = bounds(day, zone)

    assert start <= instant < end
    assert day - instant.astimezone(zone).date() in (timedelta(0), ONE_DAY)  # a day later where clocks went back


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_day_around_a_change_of_clocks_lasts_from_its_first_instant_to_that_of_the_next(zone: ZoneInfo) -> None:
    known = eras(zone)
    for position, era in enumerate(known[1:], 1):
        near = known[position - 1 : position + 2]
        local = era.start.astimezone(zone).date()
        around = list(days_between(local - 2 * ONE_DAY, local + 2 * ONE_DAY))
        starts = [min(filter(None, (one.first_instant(day) for one in near))) for day in around]

        assert [bounds(day, zone) for day in around[:-1]] == list(pairwise(starts))
        for instant in (era.start - HOUR, era.start - TICK, era.start, era.start + HOUR):
            assert_is_in_its_day(instant, zone)


@given(day=days)
@settings(max_examples=50)
def test_windows_tile_time(day: date) -> None:
    for zone in ZONES:
        start, end = bounds(day, zone)

        assert start <= end == bounds(day + ONE_DAY, zone)[0]
        if start < end:
            assert start.astimezone(zone).date() == day == (end - TICK).astimezone(zone).date()
            assert (start - TICK).astimezone(zone).date() < day


@given(instant=instants)
@settings(max_examples=50)
def test_an_instant_is_in_its_day(instant: datetime) -> None:
    for zone in ZONES:
        assert_is_in_its_day(instant, zone)


@given(now=instants, delay=st.timedeltas(timedelta(0), timedelta(days=3)))
@settings(max_examples=50)
def test_last_finished_day_has_ended_and_the_next_has_not(now: datetime, delay: timedelta) -> None:
    for zone in ZONES:
        last = last_finished_day(now, zone, delay)

        assert bounds(last, zone)[1] <= now - delay < bounds(last + ONE_DAY, zone)[1]


def test_instants_beyond_the_calendar_are_in_its_first_and_last_day() -> None:
    assert {(day_of(FIRST, zone), day_of(LAST, zone)) for zone in ZONES} == {(FIRST_DAY, LAST_DAY)}
