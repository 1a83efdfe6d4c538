"""Local days → windows of instants, where clocks are changed and where they are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exporter.days import day_of, days_between, last_finished_day, window

NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
APIA = ZoneInfo("Pacific/Apia")
CAIRO = ZoneInfo("Africa/Cairo")
HAVANA = ZoneInfo("America/Havana")
KWAJALEIN = ZoneInfo("Pacific/Kwajalein")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ST_JOHNS = ZoneInfo("America/St_Johns")
TORONTO = ZoneInfo("America/Toronto")

HOUR = timedelta(hours=1)
NO_DELAY = timedelta(0)


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
        (date(1993, 8, 21), KWAJALEIN, "1993-08-22 00:00:00+12:00", "1993-08-22 00:00:00+12:00", 0),
        # a minute after midnight is when the clocks go back to the day before: it has ended all the same
        (date(2009, 10, 31), ST_JOHNS, "2009-10-31 00:00:00-02:30", "2009-11-01 00:00:00-02:30", 24),
        (date(2009, 11, 1), ST_JOHNS, "2009-11-01 00:00:00-02:30", "2009-11-02 00:00:00-03:30", 25),
        # half an hour
        (date(2025, 4, 6), LORD_HOWE, "2025-04-06 00:00:00+11:00", "2025-04-07 00:00:00+10:30", 24.5),
        (date(2025, 10, 5), LORD_HOWE, "2025-10-05 00:00:00+10:30", "2025-10-06 00:00:00+11:00", 23.5),
        (date(2024, 4, 26), CAIRO, "2024-04-26 01:00:00+03:00", "2024-04-27 00:00:00+03:00", 23),
        # midnight is skipped, and half an hour before it too
        (date(1919, 3, 30), TORONTO, "1919-03-30 00:00:00-05:00", "1919-03-31 00:30:00-04:00", 23.5),
        (date(1919, 3, 31), TORONTO, "1919-03-31 00:30:00-04:00", "1919-04-01 00:00:00-04:00", 23.5),
    ],
    ids=str,
)
def test_window_of_a_day(day: date, zone: ZoneInfo, start: str, end: str, hours: float) -> None:
    found = window(day, zone)

    assert (found.day, str(found.start), str(found.end)) == (day, start, end)
    assert found.end.astimezone(UTC) - found.start.astimezone(UTC) == hours * HOUR
    assert found.is_empty == (hours == 0)


def test_window_is_aware_in_the_days_own_zone() -> None:
    found = window(date(2025, 3, 9), NEW_YORK)

    assert found.start.tzinfo is found.end.tzinfo is NEW_YORK
    assert found.start.date() == date(2025, 3, 9)


@pytest.mark.parametrize(
    ("zone", "instant", "expected"),
    [
        (NEW_YORK, "2025-01-15T23:59:59.999999-05:00", "2025-01-15"),
        (NEW_YORK, "2025-01-16T00:00:00-05:00", "2025-01-16"),
        (NEW_YORK, "2025-01-16T00:00:00+00:00", "2025-01-15"),
        (HAVANA, "2025-11-02T00:30:00-04:00", "2025-11-02"),
        (HAVANA, "2025-11-02T00:30:00-05:00", "2025-11-02"),
        # The clocks go from 00:01 back to 23:01 of a day that has ended.
        (ST_JOHNS, "2009-10-31T23:59:59-02:30", "2009-10-31"),
        (ST_JOHNS, "2009-11-01T00:00:59-02:30", "2009-11-01"),
        (ST_JOHNS, "2009-10-31T23:01:00-03:30", "2009-11-01"),
        (APIA, "2011-12-29T23:59:59-10:00", "2011-12-29"),
        (APIA, "2011-12-31T00:00:00+14:00", "2011-12-31"),
        (TORONTO, "1919-03-30T23:29:59-05:00", "1919-03-30"),
        (TORONTO, "1919-03-31T00:30:00-04:00", "1919-03-31"),
    ],
    ids=str,
)
def test_day_of_an_instant(zone: ZoneInfo, instant: str, expected: str) -> None:
    assert str(day_of(datetime.fromisoformat(instant), zone)) == expected


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
        (ST_JOHNS, "2006-10-28T23:15:00-03:30", NO_DELAY, "2006-10-28"),  # the clocks went back to the day before
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
