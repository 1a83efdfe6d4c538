"""The real command reads QuerySets through ADBC: while others write, when connections break, and when it is stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from django.db import connections
from django.db.models import Func, TextField, Value

from exporter import batches, casts, direct, direct_source, drafts, payloads, unit
from exporter_cases import stock
from exporter_cases.shop import instant
from exporter_cases.stock import PLAIN, Item, make_items, put
from flights.settings import database

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

    MakeAlias = Callable[[str, dict[str, Any]], str]

DAYS = ("2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04")
ALL = [(instant(day, hour), hour) for day in DAYS for hour in (8, 9, 10, 11, 12)]
MANY_DAYS = [f"{date(2025, 1, 1) + timedelta(days=number)}" for number in range(104)]
MANY = [
    (instant(day, 6 + hour), number)
    for number, day in enumerate(MANY_DAYS)
    for hour in range(0 if number % 40 > 30 else number % 4)
]
EXTRACTOR = f"{__name__}.SaleExtractor"
MEND = "What was read of this day is not exported. Mend the extractor or its database, then run the command again."


class SaleExtractor(stock.SaleExtractor):
    """And what a test does meanwhile."""

    asked: ClassVar[list[str]]
    meanwhile: ClassVar[Callable[[str], object]]
    """Called when a day's QuerySet is asked for."""
    change: ClassVar[Callable[[Any], Any]]
    """Of the QuerySet."""

    def get_queryset(self, date_start: datetime, date_end: datetime) -> Any:
        day = f"{date_start.date()}"
        self.asked.append(day)
        type(self).meanwhile(day)
        return type(self).change(super().get_queryset(date_start, date_end))


@pytest.fixture(autouse=True)
def _nothing_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SaleExtractor, "asked", [], raising=False)
    monkeypatch.setattr(SaleExtractor, "meanwhile", lambda _day: None, raising=False)
    monkeypatch.setattr(SaleExtractor, "change", lambda queryset: queryset, raising=False)
    monkeypatch.setattr(drafts, "_RECONNECT_PAUSES", (0.0, 0.0))


@pytest.fixture
def db() -> None:
    """Instead of Django's test database, which allows a test no connection to any other."""


def make_sales(make_alias: MakeAlias, configuration: dict[str, Any]) -> None:
    make_alias("writer", configuration)
    make_items("writer")
    put("writer", *({"at": at, "small": small} for at, small in ALL))
    make_alias("shop", configuration)


@pytest.fixture
def sqlite_shop(make_alias: MakeAlias, tmp_path: Path) -> None:
    make_sales(make_alias, database(str(tmp_path / "shop.sqlite3")))


@pytest.fixture
def sqlite_shop_of_one_journal(make_alias: MakeAlias, tmp_path: Path) -> None:
    """Without write-ahead logging, where a reader locks writers out."""
    make_sales(make_alias, {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.sqlite3")})


@pytest.fixture
def postgresql_shop(make_alias: MakeAlias, postgresql: dict[str, Any]) -> None:
    make_sales(make_alias, postgresql)


@pytest.fixture(params=["sqlite_shop", "postgresql_shop"])
def shop(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue(request.param)
    return str(request.param)


def put_many() -> None:
    put("writer", *({"at": at, "small": small} for at, small in MANY))


def rows(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    return warehouse.rows("sale", "`at`, `small`", "ORDER BY 1, 2")


def write(at: datetime, small: int) -> None:
    Item.objects.using("writer").create(**{**PLAIN, "at": at, "small": small})


def ask(sql: str, alias: str = "writer") -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        answer: list[tuple[Any, ...]] = cursor.fetchall()
        return answer


def backends_of_adbc() -> list[int]:
    """All that are neither of Django's."""
    known = [connections[alias].connection.info.backend_pid for alias in ("shop", "writer")]
    found = ask(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()"
    )
    return [pid for (pid,) in found if pid not in known]


def terminate() -> None:
    """The server's end of the connection that reads, and of those before that it may still know of."""
    found = backends_of_adbc()
    assert found
    for pid in found:
        ask(f"SELECT pg_terminate_backend({pid}, 5000)")


@pytest.mark.parametrize("journal", ["", "_of_one_journal"])
def test_a_unit_is_read_without_rows(
    make_warehouse: MakeWarehouse, run_command: RunCommand, request: pytest.FixtureRequest, journal: str
) -> None:
    request.getfixturevalue(f"sqlite_shop{journal}")
    warehouse = make_warehouse(SaleExtractor)

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", "2")

    assert result == ("sale  2025-01-01 to 2025-01-04  20 rows  committed  0.0 s\n", "", 0)
    assert rows(warehouse) == ALL
    write(instant("2025-01-05"), 1)  # the database is as usable as before
    assert ask("PRAGMA integrity_check") == [("ok",)]
    assert run_command("smolqwery_extract", "--to", "2025-01-05")[1:] == ("", 0)
    assert rows(warehouse) == [*ALL, (instant("2025-01-05"), 1)]


@pytest.mark.usefixtures("shop")
def test_many_small_days_and_days_without_rows(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    """More than are read, or cast, at once."""
    warehouse = make_warehouse(SaleExtractor)
    put_many()

    result = run_command("smolqwery_extract", "--to", MANY_DAYS[-1], "--verbosity", "2")

    assert result == (f"sale  2025-01-01 to {MANY_DAYS[-1]}  {len(MANY)} rows  committed  0.0 s\n", "", 0)
    assert rows(warehouse) == MANY
    assert run_command("smolqwery_verify").exit_code == 0  # day by day


@pytest.mark.usefixtures("shop")
def test_what_others_write_meanwhile_is_not_in_the_unit(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(SaleExtractor)

    def write_everywhere(day: str) -> None:
        if day == "2025-01-02":
            for written_day in DAYS:
                write(instant(written_day, 20), 20)
            Item.objects.using("writer").filter(at=instant("2025-01-03", 12)).delete()

    monkeypatch.setattr(SaleExtractor, "meanwhile", write_everywhere)

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", "2")

    assert result == ("sale  2025-01-01 to 2025-01-04  20 rows  committed  0.0 s\n", "", 0)
    assert rows(warehouse) == ALL


@pytest.mark.usefixtures("shop")
def test_the_next_unit_reads_what_was_written_meanwhile(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(SaleExtractor)
    monkeypatch.setattr(unit, "UNIT_ROWS", 10)
    late = (instant("2025-01-03", 20), 20)
    monkeypatch.setattr(SaleExtractor, "meanwhile", lambda day: write(*late) if day == "2025-01-02" else None)

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", "2")

    assert result == (
        "sale  2025-01-01 to 2025-01-02  10 rows  committed  0.0 s\n"
        "sale  2025-01-03 to 2025-01-04  11 rows  committed  0.0 s\n",
        "",
        0,
    )
    assert rows(warehouse) == sorted([*ALL, late])


@pytest.mark.usefixtures("shop")
def test_days_are_replaced_without_rows(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(SaleExtractor)
    run_command("smolqwery_extract", "--to", DAYS[-1])
    write(instant("2025-01-02", 20), 20)

    result = run_command(
        "smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-03", "--verbosity", "2"
    )

    assert result == ("sale  2025-01-02 to 2025-01-03  11 rows  replaced  0.0 s\n", "", 0)
    assert rows(warehouse) == sorted([*ALL, (instant("2025-01-02", 20), 20)])
    assert run_command("smolqwery_verify", "--source").exit_code == 0


@pytest.mark.usefixtures("sqlite_shop")
def test_why_rows_are_read_is_said_once_at_verbosity_2(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(SaleExtractor)
    monkeypatch.setattr(unit, "UNIT_ROWS", 1)
    monkeypatch.setattr(direct_source, "_SOURCES", {})

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", "2")

    assert result.stderr == "sale: read row by row, not through ADBC: ADBC is not used for sqlite.\n"
    assert rows(warehouse) == ALL


@pytest.mark.usefixtures("sqlite_shop")
@pytest.mark.parametrize(("verbosity", "said"), [("1", 0), ("2", 1)])
def test_a_log_has_it_as_a_line_of_its_own(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
    verbosity: str,
    said: int,
) -> None:
    make_warehouse(SaleExtractor)
    monkeypatch.setattr(unit, "UNIT_ROWS", 1)
    monkeypatch.setattr(direct_source, "_SOURCES", {})
    monkeypatch.setenv("CLOUD_RUN_JOB", "job")

    result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", verbosity)

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    details = [line["message"] for line in lines if line["severity"] == "DEBUG"]
    assert details == ["sale: read row by row, not through ADBC: ADBC is not used for sqlite."] * said


@pytest.mark.usefixtures("sqlite_shop")
def test_rows_that_were_sent_before_rows_were_needed_arrive_once(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit is read again, row by row, into another stream."""
    warehouse = make_warehouse(SaleExtractor)
    monkeypatch.setattr(unit, "HELD_BYTES", 0)
    for module, name in ((payloads, "TARGET_BYTES"), (batches, "_FIRST_CHUNK_ROWS")):
        monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr("exporter.adbc._BATCH_BYTES", 1)
    monkeypatch.setattr("exporter.adbc_sqlite._BATCH_ROWS", 1)
    with connections["writer"].cursor() as cursor:
        cursor.execute("UPDATE stock_item SET at = '2025-01-01 17:00:00Z' WHERE at = '2025-01-01 17:00:00'")
        assert cursor.rowcount == 1

    result = run_command("smolqwery_extract", "--to", "2025-01-01", "--verbosity", "2")

    assert result.stdout == "sale  2025-01-01  5 rows  committed  0.0 s\n"
    assert result.stderr.startswith("sale: read row by row, not through ADBC: column at: Failed to parse string: ")
    assert rows(warehouse) == ALL[:5]


@pytest.mark.usefixtures("sqlite_shop")
def test_a_value_that_cannot_be_cast_ends_the_unit_before_its_day(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(SaleExtractor)
    with connections["writer"].cursor() as cursor:
        cursor.execute("UPDATE stock_item SET small = 'many' WHERE at = '2025-01-03 15:00:00'")

    result = run_command("smolqwery_extract", "--to", DAYS[-1])

    assert result == (
        "sale  2025-01-01 to 2025-01-02  10 rows  committed  0.0 s\n",
        f"sale failed.\n{EXTRACTOR}, 2025-01-03, row 3, column small: str 'many' is not an int.\n"
        "  Yield an int, e.g. int(value), in a QuerySet Cast(…, IntegerField()).\n"
        "Exported 0 of 1 tables. Failed: sale.\n",
        1,
    )
    assert rows(warehouse) == ALL[:10]


@pytest.mark.usefixtures("sqlite_shop")
def test_small_days_end_before_that_of_a_value_that_cannot_be_cast(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(SaleExtractor)
    put_many()
    with connections["writer"].cursor() as cursor:
        cursor.execute("UPDATE stock_item SET small = 'many' WHERE small = 61")

    result = run_command("smolqwery_extract", "--to", MANY_DAYS[-1])

    good = [sale for sale in MANY if sale[1] < 61]
    assert result == (
        f"sale  2025-01-01 to {MANY_DAYS[60]}  {len(good)} rows  committed  0.0 s\n",
        f"sale failed.\n{EXTRACTOR}, {MANY_DAYS[61]}, row 1, column small: str 'many' is not an int.\n"
        "  Yield an int, e.g. int(value), in a QuerySet Cast(…, IntegerField()).\n"
        "Exported 0 of 1 tables. Failed: sale.\n",
        1,
    )
    assert rows(warehouse) == good


@pytest.mark.usefixtures("postgresql_shop")
class TestPostgresql:
    def test_a_connection_that_breaks_while_it_reads_several_days(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warehouse = make_warehouse(SaleExtractor)
        put_many()
        breaks = iter([terminate])
        monkeypatch.setattr(
            SaleExtractor, "meanwhile", lambda day: next(breaks, int)() if day == MANY_DAYS[9] else None
        )

        result = run_command("smolqwery_extract", "--to", MANY_DAYS[-1])

        assert result.stdout == f"sale  2025-01-01 to {MANY_DAYS[-1]}  {len(MANY)} rows  committed  0.0 s\n"
        lost = (
            rf"sale: {EXTRACTOR}, 2025-01-\d\d( to 2025-\d\d-\d\d)?: the connection to DATABASES\['shop'\] was lost: "
        )
        assert re.match(lost, result.stderr)
        assert result.stderr.endswith(" Reading again.\n")
        assert rows(warehouse) == MANY

    def test_a_connection_that_breaks_between_days(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warehouse = make_warehouse(SaleExtractor)
        breaks = iter([terminate])
        monkeypatch.setattr(
            SaleExtractor, "meanwhile", lambda day: next(breaks, int)() if day == "2025-01-03" else None
        )

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        assert result.stdout == "sale  2025-01-01 to 2025-01-04  20 rows  committed  0.0 s\n"
        # The days before may be read to their end by then, or not: that goes on meanwhile. And whether the driver has
        # the server's last words depends on what it was doing.
        days = "(2025-01-01|2025-01-02 to 2025-01-04)"
        lost = rf"sale: {EXTRACTOR}, {days}: the connection to DATABASES\['shop'\] was lost: "
        assert re.match(lost, result.stderr)
        assert result.stderr.endswith(" Reading again.\n")
        assert SaleExtractor.asked[-len(DAYS) :] == [*DAYS]
        assert rows(warehouse) == ALL

    def test_a_connection_that_breaks_in_the_middle_of_a_result(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was sent of it already is dropped with its stream."""
        warehouse = make_warehouse(SaleExtractor)
        many = [{"at": instant("2025-01-02", 20), "small": 1}] * 30_000
        put("writer", *many)
        monkeypatch.setattr(unit, "HELD_BYTES", 0)
        monkeypatch.setattr("exporter.adbc._BATCH_BYTES", 1_000)
        monkeypatch.setattr("exporter.adbc_postgresql._BATCH_BYTES", 1_000)
        breaks, cast = iter([None, None, terminate]), casts.cast

        def break_once(*arguments: Any) -> Any:
            if action := next(breaks, None):
                action()
            return cast(*arguments)

        monkeypatch.setattr(direct, "cast", break_once)

        result = run_command("smolqwery_extract", "--to", "2025-01-02")

        assert result.exit_code == 0
        assert result.stderr.endswith(" Reading again.\n")
        assert len(rows(warehouse)) == 30_000

    def test_one_that_breaks_every_time_is_an_error(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warehouse = make_warehouse(SaleExtractor)
        monkeypatch.setattr(SaleExtractor, "meanwhile", lambda day: terminate() if day == "2025-01-02" else None)

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        assert (result.stdout, result.exit_code) == ("", 1)
        assert result.stderr.count(": the connection to DATABASES['shop'] was lost: ") == 3
        assert rows(warehouse) == []

    def test_a_statement_that_takes_too_long(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warehouse = make_warehouse(SaleExtractor)

        monkeypatch.setitem(connections["shop"].settings_dict, "OPTIONS", {"options": "-c statement_timeout=500ms"})
        monkeypatch.setattr(SaleExtractor, "change", slow_on("2025-01-02", 60))

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        assert result == (
            "sale  2025-01-01  5 rows  committed  0.0 s\n",
            f"sale failed.\n{EXTRACTOR}, 2025-01-02: reading its QuerySet raised OperationalError: "
            f"canceling statement due to statement timeout.\n  {MEND}\nExported 0 of 1 tables. Failed: sale.\n",
            1,
        )
        assert rows(warehouse) == ALL[:5]

    def test_a_signal_interrupts_a_query_that_gives_no_row_yet(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warehouse = make_warehouse(SaleExtractor)
        monkeypatch.setattr(SaleExtractor, "change", slow_on("2025-01-02", 60))
        monkeypatch.setattr(SaleExtractor, "meanwhile", lambda day: stop_soon() if day == "2025-01-02" else None)

        result = run_command("smolqwery_extract", "--to", DAYS[-1])

        assert result.stderr.startswith("Interrupted. ")
        assert (result.stdout, result.exit_code) == ("", 1)
        assert rows(warehouse) == []
        asleep = "SELECT query FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND query NOT LIKE '%activity%'"
        until = time.monotonic() + 5
        while ask(asleep) and time.monotonic() < until:  # PostgreSQL notices in a moment
            time.sleep(0.05)
        assert ask(asleep) == []

    def test_what_was_set_in_the_session_holds(self, make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
        """As a team's middleware chooses a tenant: another table of the same name comes first."""
        warehouse = make_warehouse(SaleExtractor)
        for sql in (
            'DROP SCHEMA IF EXISTS "te\'nant" CASCADE; CREATE SCHEMA "te\'nant"',
            'CREATE TABLE "te\'nant".stock_item AS SELECT * FROM stock_item WHERE small = 9',
        ):
            with connections["writer"].cursor() as cursor:
                cursor.execute(sql)
        with connections["shop"].cursor() as cursor:
            cursor.execute('SET search_path = "te\'nant", public')

        result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", "2")

        assert result == ("sale  2025-01-01 to 2025-01-04  4 rows  committed  0.0 s\n", "", 0)
        assert rows(warehouse) == [(at, small) for at, small in ALL if small == 9]

    def test_another_time_zone_of_the_session_is_left_to_django(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand
    ) -> None:
        make_warehouse(SaleExtractor)
        with connections["shop"].cursor() as cursor:
            cursor.execute("SET TimeZone = 'Asia/Tokyo'")

        result = run_command("smolqwery_extract", "--to", DAYS[-1], "--verbosity", "2")

        assert result.stderr.splitlines()[0] == (
            "sale: read row by row, not through ADBC: its session's time zone is Asia/Tokyo, not UTC."
        )


def slow_on(day: str, seconds: int) -> Callable[[Any], Any]:
    def change(queryset: Any) -> Any:
        if SaleExtractor.asked[-1] != day:
            return queryset
        return queryset.alias(
            slept=Func(
                Value(seconds),
                function="pg_sleep",
                template="(%(function)s(%(expressions)s))::text",
                output_field=TextField(),
            )
        ).filter(slept="")

    return change


def stop_soon() -> None:
    """As Cloud Run does it, once the query runs."""

    def stop() -> None:
        for _ in range(600):
            if ask_apart("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid != pg_backend_pid()"):
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop).start()


def ask_apart(sql: str) -> list[Any]:
    """On a connection of this thread's."""
    import psycopg

    parameters = connections["writer"].get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{name: parameters[name] for name in names if name in parameters}) as connection:
        return connection.execute(sql).fetchall()
