"""Local days → windows of instants, in every time zone there is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exporter.days import ONE_DAY, days_between, last_finished_day, window

NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
APIA = ZoneInfo("Pacific/Apia")
HAVANA = ZoneInfo("America/Havana")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
NO_DELAY = timedelta(0)

# Before 1970 the zones hold guesses, and no partition of BigQuery takes such days.
zones = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
days = st.dates(date(1970, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("day", "zone", "start", "end", "hours"),
    [
        (date(2025, 1, 15), NEW_YORK, "2025-01-15 00:00:00-05:00", "2025-01-16 00:00:00-05:00", 24),
        (date(2025, 3, 9), NEW_YORK, "2025-03-09 00:00:00-05:00", "2025-03-10 00:00:00-04:00", 23),
        (date(2025, 11, 2), NEW_YORK, "2025-11-02 00:00:00-04:00", "2025-11-03 00:00:00-05:00", 25),
        # midnight happens twice: the day begins with the first one
        (date(2025, 11, 2), HAVANA, "2025-11-02 00:00:00-04:00", "2025-11-03 00:00:00-05:00", 25),
        # midnight does not exist: the day before ends where this one begins, an hour later by the clock
        (date(2018, 11, 3), SAO_PAULO, "2018-11-03 00:00:00-03:00", "2018-11-04 01:00:00-02:00", 24),
        (date(2018, 11, 4), SAO_PAULO, "2018-11-04 01:00:00-02:00", "2018-11-05 00:00:00-02:00", 23),
        # midnight is when the clocks go back to the day before
        (date(2018, 2, 17), SAO_PAULO, "2018-02-17 00:00:00-02:00", "2018-02-18 00:00:00-03:00", 25),
        # a day that the calendar skipped
        (date(2011, 12, 29), APIA, "2011-12-29 00:00:00-10:00", "2011-12-31 00:00:00+14:00", 24),
        (date(2011, 12, 30), APIA, "2011-12-31 00:00:00+14:00", "2011-12-31 00:00:00+14:00", 0),
        (date(2011, 12, 31), APIA, "2011-12-31 00:00:00+14:00", "2012-01-01 00:00:00+14:00", 24),
    ],
    ids=str,
)
def test_window_of_a_day(day: date, zone: ZoneInfo, start: str, end: str, hours: int) -> None:
    found = window(day, zone)

    assert (found.day, str(found.start), str(found.end)) == (day, start, end)
    assert found.end.astimezone(UTC) - found.start.astimezone(UTC) == hours * HOUR
    assert found.is_empty == (hours == 0)


def test_window_is_aware_in_the_days_own_zone() -> None:
    found = window(date(2025, 3, 9), NEW_YORK)

    assert found.start.tzinfo is found.end.tzinfo is NEW_YORK
    assert found.start.date() == date(2025, 3, 9)


@given(day=days, zone=zones)
@example(day=date(2011, 12, 29), zone=APIA)
@example(day=date(2018, 11, 3), zone=SAO_PAULO)
@settings(max_examples=500)
def test_windows_tile_time(day: date, zone: ZoneInfo) -> None:
    one, next_one = window(day, zone), window(day + ONE_DAY, zone)

    start, end = one.start.astimezone(UTC), one.end.astimezone(UTC)
    assert end == next_one.start.astimezone(UTC)
    assert start <= end
    assert one.is_empty == (start == end)


@given(day=days, zone=zones)
@example(day=date(1993, 8, 21), zone=ZoneInfo("Pacific/Kwajalein"))
@settings(max_examples=500)
def test_window_begins_and_ends_with_its_local_date(day: date, zone: ZoneInfo) -> None:
    found = window(day, zone)

    if not found.is_empty:
        assert found.start.date() == day
        assert (found.start.astimezone(UTC) - TICK).astimezone(zone).date() < day
        assert (found.end.astimezone(UTC) - TICK).astimezone(zone).date() == day


@given(instant=st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)), zone=zones)  # noqa: DTZ001
@example(instant=datetime(2025, 11, 2, 4, 30, tzinfo=UTC), zone=HAVANA)
@settings(max_examples=500)
def test_instant_is_in_the_window_of_one_day(instant: datetime, zone: ZoneInfo) -> None:
    local = instant.astimezone(zone).date()
    around = [window(local + offset * ONE_DAY, zone) for offset in (-2, -1, 0, 1, 2)]

    holding = [one.day for one in around if one.start.astimezone(UTC) <= instant < one.end.astimezone(UTC)]

    # Where the clocks go back across midnight (St. John's, at a minute past), the instant's date is the day before.
    assert holding in ([local], [local + ONE_DAY])


@given(
    now=st.datetimes(datetime(1970, 2, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=zones,
    delay=st.timedeltas(NO_DELAY, timedelta(days=3)),
)
@example(now=datetime(2011, 12, 30, 10, 0, tzinfo=UTC), zone=APIA, delay=NO_DELAY)
@example(now=datetime(2006, 10, 29, 2, 45, tzinfo=UTC), zone=ZoneInfo("America/St_Johns"), delay=NO_DELAY)
@settings(max_examples=500)
def test_last_finished_day_has_ended_and_the_next_has_not(now: datetime, zone: ZoneInfo, delay: timedelta) -> None:
    last = last_finished_day(now, zone, delay)

    assert window(last, zone).end.astimezone(UTC) <= now - delay
    assert window(last + ONE_DAY, zone).end.astimezone(UTC) > now - delay


@pytest.mark.parametrize(
    ("zone", "instant", "delay", "expected"),
    [
        # A job at 17:00 in Los Angeles, when it is the next day in UTC already, does not export an unfinished day.
        (LOS_ANGELES, "2025-01-15T17:00:00-08:00", NO_DELAY, "2025-01-14"),
        (LOS_ANGELES, "2025-01-15T23:59:59.999999-08:00", NO_DELAY, "2025-01-14"),
        (LOS_ANGELES, "2025-01-16T00:00:00-08:00", NO_DELAY, "2025-01-15"),
        (ZoneInfo("Europe/Paris"), "2025-01-15T23:30:00+00:00", NO_DELAY, "2025-01-15"),
        (NEW_YORK, "2025-03-10T04:00:00+00:00", NO_DELAY, "2025-03-09"),  # a day of 23 hours
        (NEW_YORK, "2025-11-03T04:00:00+00:00", NO_DELAY, "2025-11-01"),  # of 25 hours: one is to come
        (NEW_YORK, "2025-11-03T05:00:00+00:00", NO_DELAY, "2025-11-02"),
        (NEW_YORK, "2025-01-16T05:59:59+00:00", HOUR, "2025-01-14"),
        (NEW_YORK, "2025-01-16T06:00:00+00:00", HOUR, "2025-01-15"),
        (NEW_YORK, "2025-01-16T06:00:00+00:00", timedelta(days=2), "2025-01-13"),
        (APIA, "2011-12-29T23:59:59-10:00", NO_DELAY, "2011-12-28"),
        (APIA, "2011-12-31T00:00:00+14:00", NO_DELAY, "2011-12-30"),
    ],
    ids=str,
)
def test_last_finished_day(zone: ZoneInfo, instant: str, delay: timedelta, expected: str) -> None:
    assert str(last_finished_day(datetime.fromisoformat(instant), zone, delay)) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2024, 2, 28), date(2024, 3, 1), ["2024-02-28", "2024-02-29", "2024-03-01"]),
        (date(2025, 1, 1), date(2025, 1, 1), ["2025-01-01"]),
        (date(2025, 1, 2), date(2025, 1, 1), []),
    ],
)
def test_days_between_includes_both(first: date, last: date, expected: list[str]) -> None:
    assert [str(day) for day in days_between(first, last)] == expected
