"""A number of rows → the database that FLIGHTS_DATABASE names has as many flights, and a file says what they are."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from benchmarks.digest import Digest
from flights.csv_file import read_flights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flights.csv_file import CsvFlight

DAY = datetime(2025, 1, 1, 5, tzinfo=UTC)  # begins in New York


def main() -> None:
    rows, one_day, facts = int(sys.argv[1]), bool(int(sys.argv[2])), Path(sys.argv[3])
    django.setup()
    from flights.management.commands.load_flights import insert_flights

    call_command("migrate", verbosity=0)
    digest = Digest()
    insert_flights(digest.of(_in_a_day(rows) if one_day else _as_they_are(rows)))
    name = os.environ["FLIGHTS_DATABASE"]
    if "://" not in name:
        with closing(sqlite3.connect(name)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = {"rows": rows, "last_day": digest.last_day, "digest": digest.numbers()}
    facts.write_text(json.dumps(found), "utf-8")


def _as_they_are(rows: int) -> Iterator[CsvFlight]:
    return islice(cycle(read_flights()), rows)


def _in_a_day(rows: int) -> Iterator[CsvFlight]:
    step = timedelta(days=1) / rows
    for number, flight in enumerate(_as_they_are(rows)):
        yield flight._replace(scheduled_at=DAY + number * step)


if __name__ == "__main__":
    main()
