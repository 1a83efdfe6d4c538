"""What the real command reads while others write, and when the connection breaks: on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from django.db import connections, models

from exporter import BaseExtractor, ExtractorType, batches, drafts, payloads, unit
from exporter_cases.shop import instant
from flights.models import HourlyTraffic
from flights.settings import database

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

    MakeAlias = Callable[[str, dict[str, Any]], str]

DAYS = ("2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04")
HOURS = (8, 9, 10, 11, 12)
ALL = [(instant(day, hour), hour) for day in DAYS for hour in HOURS]

EXTRACTOR = f"{__name__}.HourExtractor"
BROKEN = "the connection to DATABASES['shop'] was lost: terminating connection due to administrator command."
MEND = "What was read of this day is not exported. Mend the extractor or its database, then run the command again."
MEND_DATABASE = "Mend the database or its settings, then run the command again."
NONE_EXPORTED = "Exported 0 of 1 tables. Failed: hour.\n"


@dataclass(slots=True)
class Hour:
    """Departures of an hour."""

    timestamp: datetime
    departures: int


class HourExtractor(BaseExtractor[Hour]):
    """Rows of a Django model, fetched two at a time, and what a test does meanwhile."""

    asked: ClassVar[list[str]]
    meanwhile: ClassVar[Callable[[str, int], object]]
    """Called before a row is yielded, with its day and hour."""

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_database(self) -> str:
        return "shop"

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Hour]:
        day = f"{date_start.date()}"
        self.asked.append(day)
        traffic = HourlyTraffic.objects.using("shop").filter(hour__gte=date_start, hour__lt=date_end).order_by("hour")
        for one in traffic.iterator(chunk_size=2):
            type(self).meanwhile(day, one.hour.astimezone(date_start.tzinfo).hour)
            yield Hour(timestamp=one.hour, departures=one.departures)


@pytest.fixture(autouse=True)
def _nothing_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HourExtractor, "asked", [], raising=False)
    monkeypatch.setattr(HourExtractor, "meanwhile", lambda _day, _hour: None, raising=False)
    monkeypatch.setattr(drafts, "_RECONNECT_PAUSES", (0.0, 0.0))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, int], object]], None]:
    """Let this be called before each row is yielded, with the row's day and hour."""
    return lambda action: monkeypatch.setattr(HourExtractor, "meanwhile", action)


def make_traffic(make_alias: MakeAlias, configuration: dict[str, Any]) -> str:
    """Two connections to one database: `shop`, which is exported, and `writer` beside it."""
    make_alias("writer", configuration)
    if HourlyTraffic._meta.db_table in connections["writer"].introspection.table_names():
        with connections["writer"].schema_editor() as editor:
            editor.delete_model(HourlyTraffic)
    with connections["writer"].schema_editor() as editor:
        editor.create_model(HourlyTraffic)
    for hour, departures in ALL:
        write(hour, departures)
    return make_alias("shop", configuration)


def write(hour: datetime, departures: int) -> None:
    HourlyTraffic.objects.using("writer").create(hour=hour, departures=departures)


@pytest.fixture
def db() -> None:
    """Instead of Django's test database, which allows a test no connection to any other."""


@pytest.fixture
def sqlite_shop(make_alias: MakeAlias, tmp_path: Path) -> str:
    return make_traffic(make_alias, database(str(tmp_path / "shop.sqlite3")))


@pytest.fixture
def postgresql_shop(make_alias: MakeAlias, postgresql: dict[str, Any]) -> str:
    return make_traffic(make_alias, postgresql)


@pytest.fixture(params=["sqlite_shop", "postgresql_shop"])
def shop(request: pytest.FixtureRequest) -> str:
    alias: str = request.getfixturevalue(request.param)
    return alias


def rows(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    return warehouse.rows("hour", "`timestamp`, `departures`")


def ask(sql: str) -> list[tuple[Any, ...]]:
    """Of the connection that is exported from."""
    with connections["shop"].cursor() as cursor:
        cursor.execute(sql)
        answer: list[tuple[Any, ...]] = cursor.fetchall()
        return answer


def terminate() -> None:
    """The server's end of that connection."""
    backend = connections["shop"].connection.info.backend_pid
    with connections["writer"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        assert cursor.fetchone() == (True,)


@pytest.mark.usefixtures("shop")
def test_what_others_write_meanwhile_is_not_in_the_unit(
    make_warehouse: MakeWarehouse, run_command: RunCommand, meanwhile: Callable[..., None]
) -> None:
    warehouse = make_warehouse(HourExtractor)

    def write_everywhere(day: str, hour: int) -> None:
        if (day, hour) == ("2025-01-02", 9):
            traffic = HourlyTraffic.objects.using("writer")
            for written_day in DAYS:  # read already, being read, not yet read
                write(instant(written_day, 20), 20)
            traffic.filter(hour=instant("2025-01-02", 12)).delete()
            traffic.filter(hour__gte=instant("2025-01-03")).update(departures=models.F("departures") + 1_000)

    meanwhile(write_everywhere)

    result = run_command("smolqwery_extract", "--to", DAYS[-1])

    assert result == ("hour  2025-01-01 to 2025-01-04  20 rows  committed  0.0 s\n", "", 0)
    assert rows(warehouse) == ALL


@pytest.mark.usefixtures("shop")
def test_the_next_unit_reads_what_was_written_meanwhile(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    meanwhile: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warehouse = make_warehouse(HourExtractor)
    monkeypatch.setattr(unit, "UNIT_ROWS", 2 * len(HOURS))
    late = (instant("2025-01-03", 20), 20)
    meanwhile(lambda day, hour: write(*late) if (day, hour) == ("2025-01-02", 9) else None)

    result = run_command("smolqwery_extract", "--to", DAYS[-1])

    assert result == (
        "hour  2025-01-01 to 2025-01-02  10 rows  committed  0.0 s\n"
        "hour  2025-01-03 to 2025-01-04  11 rows  committed  0.0 s\n",
        "",
        0,
    )
    assert rows(warehouse) == sorted([*ALL, late])


@pytest.mark.usefixtures("postgresql_shop")
def test_postgresql_is_read_by_a_cursor_inside_a_read_only_snapshot(
    make_warehouse: MakeWarehouse, run_command: RunCommand, meanwhile: Callable[..., None]
) -> None:
    make_warehouse(HourExtractor)
    answers: list[Any] = []

    def look(_day: str, hour: int) -> None:
        if hour == HOURS[0]:
            cursors = ask("SELECT is_holdable FROM pg_cursors WHERE statement LIKE '%flights_hourlytraffic%'")
            answers.append((cursors, *ask("SHOW transaction_isolation"), *ask("SHOW transaction_read_only")))

    meanwhile(look)

    result = run_command("smolqwery_extract", "--to", DAYS[-1])

    assert result[1:] == ("", 0)
    assert answers == [([(False,)], ("repeatable read",), ("on",))] * len(DAYS)


@pytest.mark.usefixtures("postgresql_shop")
class TestBrokenConnections:
    def test_the_unit_is_read_again_in_a_new_snapshot(
        self,
        make_warehouse: MakeWarehouse,
        run_command: RunCommand,
        meanwhile: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """From its first day: those of the unit before are committed."""
        warehouse = make_warehouse(HourExtractor)
        monkeypatch.setattr(unit, "UNIT_ROWS", 2 * len(HOURS))
        late = (instant("2025-01-03", 20), 20)

        def break_once(day: str, hour: int) -> None:
            if (day, hour) == ("2025-01-04", 9) and HourExtractor.asked.count(day) == 1:
                write(*late)
                terminate()

        meanwhile(break_once)

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        assert result == (
            "hour  2025-01-01 to 2025-01-02  10 rows  committed  0.0 s\n"
            "hour  2025-01-03 to 2025-01-04  11 rows  committed  0.0 s\n",
            f"hour: {EXTRACTOR}, 2025-01-04: {BROKEN} Reading again.\n",
            0,
        )
        assert HourExtractor.asked == [*DAYS, "2025-01-03", "2025-01-04"]
        assert rows(warehouse) == sorted([*ALL, late])

    def test_rows_that_were_sent_already_arrive_once(
        self,
        make_warehouse: MakeWarehouse,
        run_command: RunCommand,
        meanwhile: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A day that is not held back in memory has a stream of its own, which is dropped."""
        warehouse = make_warehouse(HourExtractor)
        monkeypatch.setattr(unit, "HELD_BYTES", 0)
        monkeypatch.setattr(payloads, "TARGET_BYTES", 1)
        monkeypatch.setattr(batches, "_FIRST_CHUNK_ROWS", 1)
        breaks = iter([terminate])
        meanwhile(lambda day, hour: next(breaks, int)() if (day, hour) == ("2025-01-01", 11) else None)

        result = run_command("smolqwery_extract", "--to", "2025-01-01")

        assert result == (
            "hour  2025-01-01  5 rows  committed  0.0 s\n",
            f"hour: {EXTRACTOR}, 2025-01-01: {BROKEN} Reading again.\n",
            0,
        )
        assert rows(warehouse) == ALL[: len(HOURS)]

    def test_one_that_breaks_every_time_is_an_error(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, meanwhile: Callable[..., None]
    ) -> None:
        warehouse = make_warehouse(HourExtractor)
        meanwhile(lambda day, hour: terminate() if (day, hour) == ("2025-01-02", 9) else None)

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        broken = f"{EXTRACTOR}, 2025-01-02: {BROKEN}"
        again = f"hour: {broken} Reading again.\n"
        failed = f"hour failed.\n{broken}\n  {MEND_DATABASE}\n"
        assert result == ("", f"{again}{again}{failed}{NONE_EXPORTED}", 1)
        assert HourExtractor.asked == ["2025-01-01", "2025-01-02"] * 3
        assert rows(warehouse) == warehouse.ledger("*") == []

    def test_a_server_that_is_away_is_tried_as_often(
        self,
        make_warehouse: MakeWarehouse,
        run_command: RunCommand,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        make_warehouse(HourExtractor)
        monkeypatch.setitem(connections["shop"].settings_dict, "HOST", str(tmp_path))

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        away = (
            "DATABASES['shop']: cannot be read: connection is bad: connection to server on socket "
            f'"{tmp_path}/.s.PGSQL.5432" failed: No such file or directory '
            "Is the server running locally and accepting connections on that socket."
        )
        again, failed = f"hour: {away} Reading again.\n", f"hour failed.\n{away}\n  {MEND_DATABASE}\n"
        assert result == ("", f"{again}{again}{failed}{NONE_EXPORTED}", 1)
        assert HourExtractor.asked == []


@pytest.mark.usefixtures("shop")
def test_a_query_that_fails_is_not_tried_again(
    make_warehouse: MakeWarehouse, run_command: RunCommand, meanwhile: Callable[..., None]
) -> None:
    """On SQLite it is an OperationalError, as a lost connection is on PostgreSQL."""
    warehouse = make_warehouse(HourExtractor)
    meanwhile(lambda day, hour: ask("SELECT * FROM nowhere") if (day, hour) == ("2025-01-02", 9) else None)

    result = run_command("smolqwery_extract", "--to", DAYS[-1])

    assert result.stdout == "hour  2025-01-01  5 rows  committed  0.0 s\n"
    assert result.stderr.startswith(f"hour failed.\n{EXTRACTOR}, 2025-01-02: extract() raised ")
    assert "nowhere" in result.stderr
    assert result.stderr.endswith(f".\n  {MEND}\n{NONE_EXPORTED}")
    assert result.exit_code == 1
    assert HourExtractor.asked == ["2025-01-01", "2025-01-02"]
    assert rows(warehouse) == ALL[: len(HOURS)]


@pytest.mark.usefixtures("postgresql_shop")
def test_a_statement_that_takes_too_long_is_not_tried_again(
    make_warehouse: MakeWarehouse, run_command: RunCommand, meanwhile: Callable[..., None]
) -> None:
    warehouse = make_warehouse(HourExtractor)
    slow = "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(60)"
    meanwhile(lambda day, hour: ask(slow) if (day, hour) == ("2025-01-02", 9) else None)

    result = run_command("smolqwery_extract", "--to", DAYS[-1])

    assert result == (
        "hour  2025-01-01  5 rows  committed  0.0 s\n",
        f"hour failed.\n{EXTRACTOR}, 2025-01-02: extract() raised OperationalError: "
        f"canceling statement due to statement timeout.\n  {MEND}\n{NONE_EXPORTED}",
        1,
    )
    assert HourExtractor.asked == ["2025-01-01", "2025-01-02"]
    assert rows(warehouse) == ALL[: len(HOURS)]
