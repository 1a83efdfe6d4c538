"""What a team does to Django's connection counts for ADBC's too, and neither waits for the other."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connections
from django.db.models import F, IntegerField
from django.db.models.expressions import RawSQL

from exporter.days import window
from exporter.statements import RowsNeededError
from exporter_cases.stock import DAY, NEW_YORK, ItemExtractor, Sale, SaleExtractor, make_items, put, read

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeAlias = Callable[[str, dict[str, Any]], str]

BY_ROWS = "read row by row, not through ADBC: "
DAYS = [window(date(2025, 1, 15) + timedelta(days=number), NEW_YORK) for number in range(5)]
NOON = datetime(2025, 1, 15, 17, tzinfo=UTC)


def run(sql: str) -> list[Any]:
    with connections["shop"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@dataclass
class Small:
    at: datetime
    small: int


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemExtractor, "row_class", Small)


def ask(queryset: Callable[[Any], Any]) -> ItemExtractor:
    ItemExtractor.queryset = queryset
    return ItemExtractor()


def test_a_server_that_binds_parameters_gives_them_other_types(
    make_alias: MakeAlias, postgresql: dict[str, Any]
) -> None:
    make_alias("shop", postgresql | {"OPTIONS": {**postgresql["OPTIONS"], "server_side_binding": True}})
    make_items("shop")
    put("shop", {"small": 3})

    found = read(ask(lambda items: items.values("at", "small")), by_rows=False)

    assert found.table.num_rows == 1
    assert found.reasons == (f"{BY_ROWS}its parameters are bound by the server.",)


@pytest.mark.usefixtures("postgresql_shop")
def test_a_second_connection_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler that is full."""
    put("shop", {"small": 1})
    full = threading.Event()
    monkeypatch.setattr("exporter.adbc_postgresql._ANSWER_SECONDS", 0.1)
    monkeypatch.setattr("adbc_driver_postgresql.dbapi.connect", lambda *_args, **_options: full.wait(30))

    found = read(ask(lambda items: items.values("at", "small")), by_rows=False)
    full.set()

    assert found.table.num_rows == 1
    assert found.reasons == (f"{BY_ROWS}no second connection within 0 s.",)


@pytest.mark.usefixtures("postgresql_shop")
def test_it_reads_in_one_process_as_a_cursor_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """In parallel, floats would be added up in another order."""
    put("shop", {"small": 1})
    workers = RawSQL("(SELECT setting FROM pg_settings WHERE name = 'max_parallel_workers_per_gather')::int", ())
    workers.output_field = IntegerField()
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Row", [("at", datetime), ("workers", int)]))

    found = read(ask(lambda items: items.values("at", workers=workers)), by_rows=False)

    assert (found.table.column("workers").to_pylist(), found.reasons) == ([0], ())


ASKING = {
    "with another part": "current_setting('app.' || x, true)",
    "by a quoted name": '"current_setting"(x)',
    "after a comment": "current_setting/**/(x)",
}


@pytest.mark.usefixtures("postgresql_shop")
@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING)
def test_functions_that_ask_for_settings_in_ways_that_are_not_known(asking: str) -> None:
    put("shop", {"small": 1})
    run(f"CREATE OR REPLACE FUNCTION own(x text) RETURNS text LANGUAGE sql AS $$SELECT {asking}$$")
    try:
        found = read(ask(lambda items: items.values("at", "small")), by_rows=False)
    finally:
        run("DROP FUNCTION own(text)")

    assert found.reasons == (f"{BY_ROWS}a function, view or policy asks for a setting whose name it computes.",)


ZONES = {"America/New_York": datetime(1, 1, 1, 1, tzinfo=UTC), "Asia/Tokyo": datetime(9999, 12, 31, 23, tzinfo=UTC)}


@pytest.mark.parametrize("zone", ZONES)
def test_instants_that_have_no_local_datetime(
    zone: str, make_alias: MakeAlias, postgresql: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_alias("writer", postgresql)
    make_items("writer")
    put("writer", {"seen": ZONES[zone]}, {"seen": NOON})
    make_alias("shop", postgresql | {"TIME_ZONE": zone})
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Seen", [("at", datetime), ("seen", datetime)]))
    extractor = ask(lambda items: items.order_by("pk").values("at", "seen"))

    found = read(extractor, by_rows=False)

    assert found.content == read(extractor, by_rows=True).content
    assert "row 1, column seen: " in found.message
    assert found.reasons == (f"{BY_ROWS}column seen: at the ends of the calendar.",)


CHANGES = [
    ("sqlite", "CREATE TEMPORARY VIEW IF NOT EXISTS stock_item AS SELECT * FROM main.stock_item WHERE small = 1"),
    ("postgresql", "SET search_path TO other"),
    ("postgresql", "SET LOCAL ROLE pg_read_all_data"),
    ("postgresql", "SELECT set_config('datestyle', 'German', true)"),
    ("postgresql", "SELECT \"set_config\" ('search_path', 'other', false)"),
]


@pytest.mark.parametrize(("shop", "change"), CHANGES)
def test_what_get_queryset_does_to_its_session_holds(shop: str, change: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(f"{shop}_shop")
    put("shop", {"small": 1}, {"small": 2})
    if shop == "postgresql":
        run("DROP SCHEMA IF EXISTS other CASCADE")
        run("CREATE SCHEMA other")
        run("CREATE VIEW other.stock_item AS SELECT * FROM public.stock_item WHERE small = 1")

    def queryset(items: Any) -> Any:
        run(change)
        return items.order_by("pk").values("at", "small")

    extractor = ask(queryset)

    found = read(extractor, by_rows=False)
    connections["shop"].close()
    rows = read(extractor, by_rows=True)
    connections["shop"].close()

    assert found.content == rows.content
    assert found.reasons == (f"{BY_ROWS}get_queryset() changes its {'connection' if shop == 'sqlite' else 'session'}.",)


@pytest.mark.usefixtures("shop")
def test_a_get_queryset_that_only_reads_needs_no_rows() -> None:
    put("shop", {"small": 1}, {"small": 2})

    def queryset(items: Any) -> Any:
        return items.exclude(pk__in=[items.using("shop").order_by("pk").first().pk]).values("at", "small")

    found = read(ask(queryset), by_rows=False)

    assert (found.table.column("small").to_pylist(), found.reasons) == ([2], ())


@pytest.mark.usefixtures("shop")
def test_an_execute_wrapper_sees_every_query() -> None:
    put("shop", {"small": 1})

    def wrapper(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        return execute(sql.replace('"stock_item"."small"', '("stock_item"."small" + 1000)'), *rest)

    with connections["shop"].execute_wrapper(wrapper):
        found = read(ask(lambda items: items.values("at", "small")), by_rows=False)

    assert found.table.column("small").to_pylist() == [1001]
    assert found.reasons == (f"{BY_ROWS}its connection has an execute_wrapper(), which may change what is read.",)


@pytest.mark.usefixtures("postgresql_shop")
def test_a_query_of_get_queryset_that_fails_is_what_is_told() -> None:
    put("shop", {"small": 1})

    def queryset(_items: Any) -> Any:
        run("SELECT 1 / 0")

    found = read(ask(queryset), by_rows=False)

    assert found.message == (
        f"exporter_cases.stock.ItemExtractor, {DAY.day}: get_queryset() raised DataError: division by zero.\n"
        "  What was read of this day is not exported. Mend the extractor or its database, then run the command again."
    )
    assert found.reasons == ()


class Failing(SaleExtractor):
    """One day cannot be asked for, and one before it needs rows."""

    def get_dataclass(self) -> type[Sale]:
        return Sale

    def get_queryset(self, date_start: datetime, date_end: datetime) -> Any:
        if date_start == DAYS[4].start:
            run("SELECT 1 / 0")
        sales = super().get_queryset(date_start, date_end)
        return sales.distinct().order_by("price") if date_start == DAYS[2].start else sales


@pytest.mark.usefixtures("postgresql_shop")
def test_days_before_a_query_that_fails_are_read_anew_where_they_need_rows() -> None:
    put("shop", *({"small": number, "at": NOON + timedelta(days=number)} for number in range(5)))

    with pytest.raises(RowsNeededError, match="ordered by what it does not select") as reason:
        read(Failing(), by_rows=False, days=DAYS)

    assert reason.value.anew
    found = read(Failing(), by_rows=True, days=DAYS)
    assert [table.num_rows for table in found.tables] == [1, 1, 1, 1]
    assert f"{DAYS[4].day}: get_queryset() raised DataError: division by zero." in found.message


@pytest.mark.usefixtures("postgresql_shop")
def test_a_refused_row_leaves_no_cursor_open(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", *({"small": 1, "mapping": {"a": {}}} for _ in range(20)), {"small": 2, "mapping": {"a": "text"}})
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Part", [("at", datetime), ("part", dict)]))
    before = _open_cursors()
    gc.disable()
    try:
        found = read(ask(lambda items: items.order_by("pk").values("at", part=F("mapping__a"))), by_rows=False)
        after = _open_cursors()
    finally:
        gc.enable()

    assert "row 21, column part: str 'text' is not a dict." in found.message
    assert after <= before


def _open_cursors() -> set[int]:
    return {id(it) for it in gc.get_objects() if issubclass(type(it), psycopg.ServerCursor) and not it.closed}


@pytest.mark.usefixtures("postgresql_shop")
@pytest.mark.parametrize("asks", ["by rows", "in get_queryset()"])
def test_a_change_of_the_table_that_waits_does_not_stop_both(asks: str, postgresql: dict[str, Any]) -> None:
    """It waits for the unit, and whoever asks after it waits for it: so nothing of the unit may have to ask."""
    put("shop", *({"small": number, "at": NOON + timedelta(days=number)} for number in range(5)))
    waiting, ended = threading.Event(), threading.Event()

    def alter() -> None:
        with psycopg.connect(
            host=postgresql["HOST"], user=postgresql["USER"], dbname=postgresql["NAME"], autocommit=True
        ) as own:
            own.execute("SET lock_timeout = '30s'")
            waiting.set()
            own.execute("ALTER TABLE stock_item ADD COLUMN IF NOT EXISTS later int")
            ended.set()

    other = threading.Thread(target=alter)

    def queryset(items: Any) -> Any:
        if not waiting.is_set() and items.query.where.children[0].rhs == DAYS[2].start:
            other.start()
            waiting.wait(10)
            _wait_for_a_lock()
        if asks == "by rows":
            ordered = items.distinct().order_by("price") if other.is_alive() else items.order_by("at")
        else:
            ordered = items.exclude(pk__in=[items.using("shop").first().pk]).order_by("at")
        return ordered.values("at", "small")

    def _wait_for_a_lock() -> None:
        for _ in range(1_000):
            if run("SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"):
                return
            threading.Event().wait(0.01)
        raise AssertionError("nobody waits")

    found = read(ask(queryset), by_rows=False, days=DAYS)

    connections["shop"].close()
    other.join(30)
    assert ended.is_set()
    assert [table.num_rows for table in found.tables] == ([1] * 5 if asks == "by rows" else [0] * 5)
