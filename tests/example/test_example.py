"""The example project: what it loads is what the file says, and what it extracts is what it loaded."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from exporter.annotations import Mode
from exporter.conf import load_settings
from exporter.days import window
from exporter.extractors import load_extractors
from exporter.tables import table_columns
from flights.carrier_days import CarrierDay, CarrierDayExtractor, Status
from flights.csv_file import flights_per_day, read_rows
from flights.extractors import Departure, DepartureExtractor, Traffic, TrafficExtractor
from flights.models import Flight, HourlyTraffic
from flights.settings import database

if TYPE_CHECKING:
    from exporter import BaseExtractor
    from flights.csv_file import CsvRow

NEW_YORK = ZoneInfo("America/New_York")
SPRING_FORWARD, FALL_BACK = date(2025, 3, 9), date(2025, 11, 2)
LOOKED_AT = {SPRING_FORWARD - timedelta(days=1), SPRING_FORWARD, SPRING_FORWARD + timedelta(days=1), FALL_BACK}


@pytest.fixture(scope="module")
def in_file() -> dict[date, list[CsvRow]]:
    """The file's rows of the days that these tests look at."""
    rows: dict[date, list[CsvRow]] = {}
    for row in read_rows():
        if row.local_day in LOOKED_AT:
            rows.setdefault(row.local_day, []).append(row)
    return rows


def test_the_file_has_a_year_of_flights() -> None:
    days = flights_per_day()

    assert (days.total(), len(days)) == (336_776, 365)
    assert (min(days), max(days)) == (date(2025, 1, 1), date(2025, 12, 31))


@pytest.mark.django_db
@pytest.mark.parametrize(("day", "hours"), [(SPRING_FORWARD, 23), (FALL_BACK, 25)])
def test_a_day_with_a_clock_change_has_the_flights_of_its_local_date(
    in_file: dict[date, list[CsvRow]], day: date, hours: int
) -> None:
    load_flights(first=day - timedelta(days=1), last=day + timedelta(days=1))

    departures = extract(DepartureExtractor(), day)

    span = window(day, NEW_YORK)
    assert span.end.astimezone(UTC) - span.start.astimezone(UTC) == timedelta(hours=hours)
    assert len(departures) == len(in_file[day])
    # Neither change nor time zone moved a wall time; missing values are missing.
    assert sorted(map(written, departures)) == sorted(
        (
            f"{day} {int(row.hour):02}:{int(row.minute):02}",
            *(row.carrier, row.flight, row.tailnum, row.origin, row.dest, row.distance),
            *(row.dep_delay, row.arr_delay, row.air_time, str(row.dep_time == "NA")),
        )
        for row in in_file[day]
    )


@pytest.mark.django_db
def test_running_totals_grow_by_what_each_day_had(in_file: dict[date, list[CsvRow]]) -> None:
    days = [SPRING_FORWARD + timedelta(days=offset) for offset in (-1, 0, 1)]
    load_flights(first=days[0], last=days[-1])

    totals: list[Traffic] = [row for day in days for row in extract(TrafficExtractor(), day)]

    assert [total.departures for total in totals] == list(accumulate(len(in_file[day]) for day in days))
    departures: list[Departure] = [row for day in days for row in extract(DepartureExtractor(), day)]
    departed = [row for row in departures if not row.cancelled]
    assert totals[-1].cancellations == len(departures) - len(departed)
    assert totals[-1].delay_minutes == sum(max(row.departure_delay_minutes or 0, 0) for row in departed)
    assert totals[-1].distance_miles == sum(row.distance_miles for row in departed)


@pytest.mark.django_db
def test_a_carrier_whose_flights_were_all_cancelled_has_nulls() -> None:
    day = date(2025, 1, 13)
    load_flights(first=day, last=day)

    rows: list[CarrierDay] = extract(CarrierDayExtractor(), day)

    grounded = [row for row in rows if row.status is Status.GROUNDED]
    assert [row.carrier for row in grounded] == ["YV"]
    nullable = {column.name for column in table_columns(CarrierDayExtractor()) if column.mode is Mode.NULLABLE}
    assert {name for name in CarrierDay.__slots__ if getattr(grounded[0], name) is None} == nullable
    assert all(getattr(row, name) is not None for row in rows if row is not grounded[0] for name in nullable)


@pytest.mark.django_db
def test_loading_again_leaves_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    day = date(2025, 7, 4)
    load_flights(first=day, last=day)
    first = [extract(extractor, day) for extractor in load_extractors(load_settings().extractors)]

    call_command("load_flights", "--from", "2025-07-04", "--to", "2025-07-04")

    assert capsys.readouterr().out.startswith("737 flights loaded in ")
    assert (Flight.objects.count(), sum(HourlyTraffic.objects.values_list("departures", flat=True))) == (737, 737)
    assert [extract(extractor, day) for extractor in load_extractors(load_settings().extractors)] == first


@pytest.mark.django_db
def test_loading_before_migrating_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)

    with pytest.raises(CommandError, match=r"^The database has no tables yet\. Run `manage\.py migrate` first\.$"):
        load_flights(first=SPRING_FORWARD, last=SPRING_FORWARD)


def test_one_variable_names_a_postgresql_database() -> None:
    assert database("postgresql://postgres:@/postgres?host=/tmp/a%20b&sslmode=disable") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "PASSWORD": "",
        "HOST": "/tmp/a b",
        "PORT": "",
        "OPTIONS": {"sslmode": "disable"},
    }


def load_flights(*, first: date, last: date) -> None:
    call_command("load_flights", first=first, last=last, verbosity=0)


def extract(extractor: BaseExtractor[Any], day: date) -> list[Any]:
    span = window(day, NEW_YORK)
    return list(extractor.extract(span.start, span.end))


def written(departure: Departure) -> tuple[str, ...]:
    """As the file writes it."""
    timestamp, *values = astuple(departure)
    local = f"{timestamp.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
    return (local, *("NA" if value is None else str(value) for value in values))
