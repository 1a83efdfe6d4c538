"""`manage.py smolqwery_extract --replace`, from outside: rows of exported days exchanged for what there is now."""

from __future__ import annotations

import json
import signal
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from google.api_core.exceptions import NotFound

from exporter import replacement
from exporter.jobs import Jobs
from exporter_cases import everything, shop
from exporter_cases.everything import SampleExtractor
from exporter_cases.interleaving import Killed, die, once
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, instant, order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_django import Settings

    from conftest import Ended, MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

INTERRUPTED = (
    "Interrupted. Units that were reported are committed, of the one that was being read nothing is visible.\n"
    "  Run the command again: it goes on with the first open day.\n"
)
OF_FIVE_DAYS = {"01": [1], "02": [2], "03": [], "04": [4, 44], "05": [5]}


def _stock(numbers: Mapping[str, list[int]]) -> None:
    """What the shelf has for January's days now."""
    shop.orders.clear()
    for day, of_day in numbers.items():
        shop.orders.put(f"2025-01-{day}", *(order(f"2025-01-{day}", number) for number in of_day))


def _rows(numbers: Mapping[str, list[int]]) -> list[tuple[Any, ...]]:
    """What BigQuery has then."""
    return [(instant(f"2025-01-{day}"), number, None) for day, of_day in numbers.items() for number in of_day]


@pytest.fixture
def warehouse(make_warehouse: MakeWarehouse, run_command: RunCommand) -> WarehouseCopy:
    """Five days of orders, exported."""
    made = make_warehouse(OrderExtractor)
    _stock(OF_FIVE_DAYS)
    run_command("smolqwery_extract", "--to", "2025-01-05")
    return made


@pytest.fixture
def replace(run_command: RunCommand) -> Callable[..., Ended]:
    def run(first: str, last: str, *more: str) -> Ended:
        return run_command("smolqwery_extract", "--replace", "--from", f"2025-01-{first}", "--to", last, *more)

    return lambda first, last, *more: run(first, f"2025-01-{last}", *more)


def _orders(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    return warehouse.rows("order", clauses="ORDER BY 1, 2")


def _replacements(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    """Number, event, days and rows, in the order of the ledger."""
    return warehouse.ledger(
        "`generation`, `event`, MIN(`day`), MAX(`day`), SUM(`row_count`)",
        "WHERE `event` IN ('replacing', 'replaced', 'expired') GROUP BY `generation`, `event`, `recorded_at` "
        "ORDER BY `recorded_at`",
    )


def _staging_tables(warehouse: WarehouseCopy, table: str = "order") -> list[str]:
    answer = warehouse.send("GET", f"datasets/{warehouse.dataset}_exporter/tables")
    names = [found["tableReference"]["tableId"] for found in answer["tables"]]
    return [name for name in names if name.startswith(f"replacing_{table}_")]


@pytest.mark.parametrize(
    ("day", "numbers", "written"),
    [
        pytest.param("02", [2, 22], "2 rows", id="late rows"),
        pytest.param("04", [404], "1 row", id="corrected rows"),
        pytest.param("04", [], "0 rows", id="no rows any more"),
        pytest.param("03", [3], "1 row", id="a day that had none"),
        pytest.param("01", [10, 11], "2 rows", id="the first day"),
        pytest.param("05", [55], "1 row", id="the last day"),
        pytest.param("03", [], "0 rows", id="none before and none now"),
    ],
)
def test_the_rows_of_a_day_are_those_of_now(
    warehouse: WarehouseCopy, replace: Callable[..., Ended], day: str, numbers: list[int], written: str
) -> None:
    """Of the other days the shelf has nothing any more: they are not asked and stay as they are."""
    _stock({day: numbers})

    result = replace(day, day)

    assert result == (f"order  2025-01-{day}  {written}  replaced  0.0 s\n", "", 0)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {day: numbers})
    assert shop.orders.asked == [f"2025-01-{day}"]


@pytest.mark.parametrize(("first", "last"), [("02", "04"), ("01", "03"), ("03", "05"), ("01", "05")])
def test_several_days_are_exchanged_together(
    warehouse: WarehouseCopy, replace: Callable[..., Ended], first: str, last: str
) -> None:
    now = {day: [10 * int(day)] for day in OF_FIVE_DAYS if first <= day <= last}
    _stock(now)

    result = replace(first, last)

    assert result == (f"order  2025-01-{first} to 2025-01-{last}  {len(now)} rows  replaced  0.0 s\n", "", 0)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS | now)
    assert _replacements(warehouse) == [
        (1, event, date(2025, 1, int(first)), date(2025, 1, int(last)), len(now)) for event in ("replacing", "replaced")
    ]


def test_days_of_an_aggregated_table(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(TotalExtractor)
    for number in (1, 2, 3):
        shop.totals.put(f"2025-01-0{number}", Total(orders=number))
    run_command("smolqwery_extract", "--to", "2025-01-03")
    shop.totals.clear()
    shop.totals.put("2025-01-02", Total(orders=20))

    result = run_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-02")
    without_a_row = run_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-03")

    assert result == ("total  2025-01-02  1 row  replaced  0.0 s\n", "", 0)
    assert without_a_row == (
        "",
        "total failed.\nexporter_cases.shop.TotalExtractor, 2025-01-03: no row for a day that is aggregated.\n"
        "  Yield exactly one row a day, or use ExtractorType.individual_rows.\n"
        "Exported 0 of 1 tables. Failed: total.\n",
        1,
    )
    assert warehouse.rows("total") == [(date(2025, 1, 1), 1), (date(2025, 1, 2), 20), (date(2025, 1, 3), 3)]


def _reversed(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [field | ({"fields": _reversed(field["fields"])} if "fields" in field else {}) for field in reversed(fields)]


def _by_name(warehouse: WarehouseCopy) -> list[dict[str, Any]]:
    """A table's rows, whatever the order of its columns."""
    query = f"SELECT * FROM `{warehouse.name('sample')}` ORDER BY `timestamp`"
    return [dict(row.items()) for row in warehouse.clients.bigquery.query(query, job_retry=None).result()]


@pytest.mark.parametrize("as_rendered", [True, False])
def test_columns_of_every_type_arrive_as_they_did_before(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    as_rendered: bool,  # noqa: FBT001 - a case
) -> None:
    """Also where BigQuery has columns, and fields of records, in another order, and some more."""
    warehouse = make_warehouse(SampleExtractor)
    if not as_rendered:
        schema = _reversed(warehouse.schema("sample"))
        for nested in (field for field in schema if field["name"] in {"nested", "many_nested", "optional_nested"}):
            nested["fields"].insert(1, {"name": "spare", "type": "STRING", "mode": "NULLABLE"})
        warehouse.drop_table("sample")
        warehouse.make_table("sample", schema)
    run_command("smolqwery_extract", "--to", "2025-01-02")
    before = _by_name(warehouse)

    result = run_command("smolqwery_extract", "--replace", "--from", "2025-01-01", "--to", "2025-01-02")

    assert result.stdout == "sample  2025-01-01 to 2025-01-02  2 rows  replaced  0.0 s\n"
    assert result.exit_code == 0
    assert [row["text"] for row in before] == [everything.SPARSE.text, everything.FULL.text]
    assert _by_name(warehouse) == before
    # BigQuery's MERGE tells the fields of a record by their place, the emulator's by their name.
    (staging,) = _staging_tables(warehouse, "sample")
    assert _schema(warehouse, f"{warehouse.dataset}_exporter", staging) == _schema(
        warehouse, warehouse.dataset, "sample"
    )


def _schema(warehouse: WarehouseCopy, dataset: str, table: str) -> list[Any]:
    def described(fields: list[dict[str, Any]]) -> list[Any]:
        return [(one["name"], one["type"], one["mode"], described(one.get("fields", []))) for one in fields]

    return described(warehouse.send("GET", f"datasets/{dataset}/tables/{table}")["schema"]["fields"])


def test_days_with_23_and_25_hours(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    """Their first and their last hour are exchanged, those beside them are not."""
    days = ("2025-03-08", "2025-03-09", "2025-03-10", "2025-11-01", "2025-11-02", "2025-11-03")
    warehouse = make_warehouse(OrderExtractor, first_date="2025-03-08")
    for day in days:
        shop.orders.put(day, order(day, 1, hour=0), order(day, 1, hour=23))
    run_command("smolqwery_extract", "--to", "2025-11-03")
    shop.orders.clear()

    for day in (days[1], days[4]):
        shop.orders.put(day, order(day, 2, hour=0), order(day, 2, hour=23))
        result = run_command("smolqwery_extract", "--replace", "--from", day, "--to", day)
        assert result == (f"order  {day}  2 rows  replaced  0.0 s\n", "", 0)

    assert _orders(warehouse) == [
        (instant(day, hour), 2 if day in {days[1], days[4]} else 1, None) for day in days for hour in (0, 23)
    ]


def test_a_column_that_only_bigquery_has_stays_null(warehouse: WarehouseCopy, replace: Callable[..., Ended]) -> None:
    column = {"name": "shop", "type": "STRING", "mode": "NULLABLE"}
    table = f"datasets/{warehouse.dataset}/tables/order"
    warehouse.send("PATCH", table, {"schema": {"fields": [*warehouse.schema("order"), column]}})
    warehouse.sql(f"UPDATE `{warehouse.name('order')}` SET `shop` = 'Main Street' WHERE TRUE")

    result = replace("02", "02")

    assert result == (
        "order  2025-01-02  1 row  replaced  0.0 s\n",
        f"order: {warehouse.name('order')}, column shop: only in BigQuery, it stays NULL.\n",
        0,
    )
    assert warehouse.rows("order", "`number`, `shop`") == [
        (number, None if number == 2 else "Main Street") for number in (1, 2, 4, 5, 44)
    ]


FIRST = "Run smolqwery_extract without --replace first"


@pytest.mark.parametrize("first", ["05", "06"])
def test_days_that_are_not_exported_yet_are_refused(
    warehouse: WarehouseCopy, replace: Callable[..., Ended], first: str
) -> None:
    shop.orders.asked.clear()

    result = replace(first, "06")

    days = {"05": "2025-01-05 to 2025-01-06", "06": "2025-01-06"}[first]
    assert result == (
        "",
        f"order failed.\n--replace, {warehouse.name('order')}, {days}: exported to 2025-01-05 only: only exported days "
        f"can be replaced.\n  {FIRST}, or give --to 2025-01-05 or earlier.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert shop.orders.asked == []


def test_days_before_the_first_one_are_refused(warehouse: WarehouseCopy, run_command: RunCommand) -> None:
    result = run_command("smolqwery_extract", "--replace", "--from", "2024-12-31", "--to", "2025-01-02")

    assert result == (
        "",
        f"order failed.\n--replace, {warehouse.name('order')}, 2024-12-31 to 2025-01-02: exported from 2025-01-01 on: "
        "earlier days cannot be added.\n  Give --from 2025-01-01 or later.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )


def test_where_nothing_is_exported_there_is_nothing_to_replace(
    make_warehouse: MakeWarehouse, replace: Callable[..., Ended]
) -> None:
    warehouse = make_warehouse(OrderExtractor)

    result = replace("01", "02")

    assert result == (
        "",
        f"order failed.\n--replace, {warehouse.name('order')}, 2025-01-01 to 2025-01-02: not exported yet: only "
        f"exported days can be replaced.\n  {FIRST}.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )


def test_more_days_than_one_job_may_change_are_refused(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BigQuery would fail the MERGE, after the replacement was prepared, for as long as its rows are staged."""
    monkeypatch.setattr(OrderExtractor, "get_partitioning", lambda _self: "HOUR")
    warehouse = make_warehouse(OrderExtractor, first_date="2024-08-01")
    run_command("smolqwery_extract", "--to", "2024-12-31")

    refused = run_command("smolqwery_extract", "--replace", "--from", "2024-08-01", "--to", "2024-12-29")
    most = run_command("smolqwery_extract", "--replace", "--from", "2024-08-01", "--to", "2024-12-28")

    assert refused == (
        "",
        f"order failed.\n--replace, {warehouse.name('order')}, 2024-08-01 to 2024-12-29: BigQuery exchanges the rows "
        "of at most 150 days of this table in one step.\n  Replace them in several runs.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert most == ("order  2024-08-01 to 2024-12-28  0 rows  replaced  0.0 s\n", "", 0)


NEEDS = "--replace needs --from and --to: the first and the last day whose rows are exchanged.\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], NEEDS),
        (["--from", "2025-01-01"], NEEDS),
        (["--to", "2025-01-01"], NEEDS),
        (["--from", "2025-01-02", "--to", "2025-01-01"], "--from 2025-01-02 is after --to 2025-01-01. Swap them.\n"),
    ],
)
def test_usage(warehouse: WarehouseCopy, run_command: RunCommand, arguments: list[str], problem: str) -> None:
    result = run_command("smolqwery_extract", "--replace", *arguments)

    assert result == ("", problem, 2)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS)


def test_when_a_row_is_refused_nothing_is_replaced(
    warehouse: WarehouseCopy, run_command: RunCommand, replace: Callable[..., Ended]
) -> None:
    _stock({"02": [20], "03": [30]})
    shop.orders.put("2025-01-03", order("2025-01-04", 31))

    result = replace("02", "04")
    _stock({"06": [6]})
    later = run_command("smolqwery_extract", "--to", "2025-01-06")

    assert (result.stdout, result.exit_code) == ("", 1)
    assert "exporter_cases.shop.OrderExtractor, 2025-01-03, row 2, column timestamp: " in result.stderr
    assert later == ("order  2025-01-06  1 row  committed  0.0 s\n", "", 0)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"06": [6]})
    assert _replacements(warehouse) == []


def test_a_dry_run_reads_and_writes_nothing(warehouse: WarehouseCopy, replace: Callable[..., Ended]) -> None:
    before = warehouse.ledger("*")
    _stock({"02": [20, 21]})

    result = replace("02", "03", "--dry-run")

    assert result == ("order  2025-01-02 to 2025-01-03  2 rows  would replace  0.0 s\n", "", 0)
    assert shop.orders.asked == ["2025-01-02", "2025-01-03"]
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS)
    assert warehouse.ledger("*") == before
    assert _staging_tables(warehouse) == []


def test_a_dry_run_leaves_undone_what_another_run_left_undone(
    warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    _stock({"02": [20]})
    once(monkeypatch, "replacing", die)
    with pytest.raises(Killed):
        replace("02", "02")

    result = replace("02", "02", "--dry-run")

    assert result == ("order  2025-01-02  1 row  would replace  0.0 s\n", "", 0)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS)
    assert [row[:2] for row in _replacements(warehouse)] == [(1, "replacing")]


def test_of_several_tables_one_fails(make_warehouse: MakeWarehouse, replace: Callable[..., Ended]) -> None:
    warehouse = make_warehouse(TotalExtractor, OrderExtractor)
    _stock(OF_FIVE_DAYS)
    for number in (1, 2, 3, 4, 5):
        shop.totals.put(f"2025-01-0{number}", Total(orders=number))
    call_command("smolqwery_extract", "--to", "2025-01-05")
    _stock({"02": [20]})
    shop.totals.clear()
    shop.totals.put("2025-01-02", ValueError("out of numbers"))

    result = replace("02", "02")

    assert result == (
        "order  2025-01-02  1 row  replaced  0.0 s\n",
        "total failed.\nexporter_cases.shop.TotalExtractor, 2025-01-02: extract() raised ValueError: out of numbers.\n"
        "  What was read of this day is not exported. Mend the extractor or its database, then run the command again.\n"
        "Exported 1 of 2 tables. Failed: total.\n",
        1,
    )
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20]})
    assert warehouse.rows("total", "`orders`") == [(1,), (2,), (3,), (4,), (5,)]


def test_what_is_remembered_of_replacements(
    warehouse: WarehouseCopy, run_command: RunCommand, replace: Callable[..., Ended]
) -> None:
    """They are numbered, the status counts the rows of the last one, and the export goes on after the head."""
    _stock({"02": [20, 21, 22], "06": [6]})

    replace("02", "03")
    replace("02", "02")
    (status,) = json.loads(run_command("smolqwery_status", "--format", "json").stdout)
    later = run_command("smolqwery_extract", "--to", "2025-01-06")
    verified = run_command("smolqwery_verify")

    second, third = date(2025, 1, 2), date(2025, 1, 3)
    assert _replacements(warehouse) == [
        (1, "replacing", second, third, 3),
        (1, "replaced", second, third, 3),
        (2, "replacing", second, second, 3),
        (2, "replaced", second, second, 3),
    ]
    assert (status["first_day"], status["last_day"], status["rows"]) == ("2025-01-01", "2025-01-05", 7)
    assert later == ("order  2025-01-06  1 row  committed  0.0 s\n", "", 0)
    assert (verified.stderr, verified.exit_code) == ("", 0)


def test_every_night_the_new_day_and_the_last_three_again(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    set_clock: Callable[[str], None],
    settings: Settings,
) -> None:
    """As README recommends for rows that come late: by up to two days here."""
    settings.SMOLQWERY_SETTLE_DELAY = timedelta(hours=1)
    warehouse = make_warehouse(OrderExtractor)
    outputs = []
    for night in range(2, 7):
        # On the night after day n: all of day n - 2, half of day n - 1, a third of day n.
        _stock({f"0{day}": list(range(10 * day, 10 * day + 3 - max(0, day - night + 3))) for day in range(1, night)})
        set_clock(f"2025-01-0{night}T01:00:00-05:00")
        yesterday = date(2025, 1, night - 1)
        first = max(yesterday - timedelta(days=2), date(2025, 1, 1))
        outputs += [
            run_command("smolqwery_extract"),
            run_command("smolqwery_extract", "--replace", "--from", f"{first}", "--to", f"{yesterday}"),
        ]

    assert {output[1:] for output in outputs} == {("", 0)}
    assert outputs[-2:] == [
        ("order  2025-01-05  1 row  committed  0.0 s\n", "", 0),
        ("order  2025-01-03 to 2025-01-05  6 rows  replaced  0.0 s\n", "", 0),
    ]
    assert warehouse.rows("order", "`number`") == [
        *((10 * day + number,) for day in range(1, 4) for number in range(3)),
        (40,),
        (41,),
        (50,),
    ]


class TestCrashes:
    """A run dies at a step of a replacement."""

    @pytest.mark.parametrize("step", ["opened", "appended", "finalized", "staged"])
    def test_before_it_is_prepared_nothing_is_left(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ) -> None:
        _stock({"02": [20], "04": [40], "06": [6]})
        once(monkeypatch, step, die)
        with pytest.raises(Killed):
            replace("02", "04")
        left = _orders(warehouse), _replacements(warehouse)

        later = run_command("smolqwery_extract", "--to", "2025-01-06")
        between = _orders(warehouse)
        again = replace("02", "04")

        assert left == (_rows(OF_FIVE_DAYS), [])
        assert later == ("order  2025-01-06  1 row  committed  0.0 s\n", "", 0)
        assert between == _rows(OF_FIVE_DAYS | {"06": [6]})
        assert again == ("order  2025-01-02 to 2025-01-04  2 rows  replaced  0.0 s\n", "", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20], "04": [40], "06": [6]})

    @pytest.mark.parametrize("step", ["replacing", "merged"])
    def test_when_it_is_prepared_the_next_run_of_any_kind_finishes_it(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ) -> None:
        """With the rows that were staged: what the shelf has by then does not matter."""
        _stock({"02": [20], "04": [40]})
        once(monkeypatch, step, die)
        with pytest.raises(Killed):
            replace("02", "04")
        _stock({"02": [200], "06": [6]})

        later = run_command("smolqwery_extract", "--to", "2025-01-06")

        assert later == (
            "order  2025-01-02 to 2025-01-04  2 rows  replaced  0.0 s\norder  2025-01-06  1 row  committed  0.0 s\n",
            "",
            0,
        )
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20], "04": [40], "06": [6]})
        assert [row[:2] for row in _replacements(warehouse)] == [(1, "replacing"), (1, "replaced")]

    @pytest.mark.parametrize("step", ["replacing", "merged", "replaced"])
    def test_the_same_command_again_replaces_with_what_there_is_now(
        self,
        warehouse: WarehouseCopy,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ) -> None:
        _stock({"02": [20], "04": [40]})
        once(monkeypatch, step, die)
        with pytest.raises(Killed):
            replace("02", "04")
        _stock({"02": [200], "03": [300]})

        again = replace("02", "04")

        line = "order  2025-01-02 to 2025-01-04  2 rows  replaced  0.0 s\n"
        assert again == (line if step == "replaced" else line * 2, "", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [200], "03": [300], "04": []})
        assert [row[:2] for row in _replacements(warehouse)] == [
            (1, "replacing"),
            (1, "replaced"),
            (2, "replacing"),
            (2, "replaced"),
        ]

    def test_it_is_finished_by_code_with_another_column(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A new image, whose column the staging table has not."""
        _stock({"02": [20]})
        once(monkeypatch, "replacing", die)
        with pytest.raises(Killed):
            replace("02", "02")
        column = {"name": "shop", "type": "STRING", "mode": "NULLABLE"}
        table = f"datasets/{warehouse.dataset}/tables/order"
        warehouse.send("PATCH", table, {"schema": {"fields": [*warehouse.schema("order"), column]}})

        later = run_command("smolqwery_extract", "--to", "2025-01-05")

        assert later.stdout == (
            "order  2025-01-02  1 row  replaced  0.0 s\norder  nothing new, exported to 2025-01-05\n"
        )
        assert warehouse.rows("order", "`number`") == [(1,), (4,), (5,), (20,), (44,)]


class TestTwoAtOnce:
    """Another run does all that it does while one waits at a step."""

    @pytest.mark.parametrize(
        ("step", "newer"),
        [
            *((step, [200, 201]) for step in ("ledger read", "opened", "appended", "finalized", "staged")),
            *((step, newer) for step in ("replacing", "merged", "replaced") for newer in ([200, 201], [])),
        ],
    )
    def test_they_end_as_if_one_came_after_the_other(
        self,
        warehouse: WarehouseCopy,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        newer: list[int],
    ) -> None:
        """With the newer rows, which the first had not read: also where there are none any more."""

        def other_run() -> None:
            _stock({"02": newer, "04": [40]})
            call_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-04")

        _stock({"02": [20], "04": [40]})
        once(monkeypatch, step, other_run)

        result = replace("02", "04")

        assert result[1:] == ("", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": newer, "04": [40]})
        numbers = [number for number, event, *_ in _replacements(warehouse) if event == "replacing"]
        assert numbers == [1, 2]

    @pytest.mark.parametrize("step", ["staged", "replacing", "merged"])
    def test_a_run_that_wakes_up_after_two_others_brings_nothing_back(
        self,
        warehouse: WarehouseCopy,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ) -> None:
        def two_other_runs() -> None:
            for number in (200, 2000):
                _stock({"02": [number]})
                call_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-02")

        _stock({"02": [20]})
        once(monkeypatch, step, two_other_runs)

        result = replace("02", "02")

        assert result[1:] == ("", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [2000]})

    def test_a_run_that_is_always_overtaken_gives_up(
        self, warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replacement, "_MAX_TRIES", 2)

        def another_and_so_on(number: int) -> None:
            _stock({"02": [number]})
            call_command("smolqwery_extract", "--replace", "--from", "2025-01-02", "--to", "2025-01-02")
            once(monkeypatch, "staged", lambda: another_and_so_on(number + 1))

        _stock({"02": [20]})
        once(monkeypatch, "staged", lambda: another_and_so_on(21))

        result = replace("02", "02")

        assert result == (
            "order  2025-01-02  1 row  replaced  0.0 s\n" * 2,
            f"order failed.\n{warehouse.name('order')}, 2025-01-02: not replaced: 2 times another run exported or "
            "replaced days of this table meanwhile.\n  Run the command again when it is done.\n"
            "Exported 0 of 1 tables. Failed: order.\n",
            1,
        )
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [22]})

    def test_overlapping_days(
        self, warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def other_run() -> None:
            _stock({"03": [300], "04": [400], "05": [500]})
            call_command("smolqwery_extract", "--replace", "--from", "2025-01-03", "--to", "2025-01-05")

        _stock({"02": [20], "03": [30], "04": [40]})
        once(monkeypatch, "replacing", other_run)

        result = replace("02", "04")

        assert result[1:] == ("", 0)
        assert _orders(warehouse) == _rows({"01": [1], "02": [20], "03": [300], "04": [400], "05": [500]})

    def test_a_day_that_another_run_is_about_to_commit_is_committed_first(
        self,
        warehouse: WarehouseCopy,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Or its rows would be there twice: those of the MERGE, and those of the commit that is still to come."""
        _stock({"02": [20]})
        once(monkeypatch, "replacing", die)
        with pytest.raises(Killed):
            replace("02", "02")

        def another_day_is_prepared() -> None:
            once(monkeypatch, "prepared", die)
            with pytest.raises(Killed):
                call_command("smolqwery_extract", "--to", "2025-01-06")

        _stock({"02": [20], "05": [5], "06": [6]})
        once(monkeypatch, "replaced", another_day_is_prepared)

        result = replace("05", "06")

        assert result == (
            "order  2025-01-02  1 row  replaced  0.0 s\n"
            "order  2025-01-06  1 row  recovered  0.0 s\n"
            "order  2025-01-05 to 2025-01-06  2 rows  replaced  0.0 s\n",
            "",
            0,
        )
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20], "06": [6]})


class TestBigQueryFails:
    def test_a_merge_that_failed_is_attempted_again(
        self, warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attempts = _failing_merges(monkeypatch, 1)
        _stock({"02": [20]})

        result = replace("02", "02")

        assert result == ("order  2025-01-02  1 row  replaced  0.0 s\n", "", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20]})
        assert [attempt.rpartition("-")[2] for attempt in attempts] == ["0", "1"]

    def test_a_merge_that_fails_again_and_again_is_left_to_the_next_run(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        attempts = _failing_merges(monkeypatch, 3)
        _stock({"02": [20], "06": [6]})

        result = replace("02", "02")
        left = _orders(warehouse)
        (staging,) = _staging_tables(warehouse)
        later = run_command("smolqwery_extract", "--to", "2025-01-06")

        where = f"{warehouse.name('order')}, 2025-01-02"
        assert result.stdout == ""
        assert result.stderr.startswith(
            f"order failed.\n{where}: prepared, but not replaced yet: job {attempts[2]} and those before it did not "
            "succeed: "
        )
        assert result.stderr.endswith(
            "\n  Mend what BigQuery names, then run the command again: it goes on with this replacement. Or drop "
            f"{warehouse.ledger_name.removesuffix('ledger')}{staging}: then it is given up.\n"
            "Exported 0 of 1 tables. Failed: order.\n"
        )
        assert result.exit_code == 1
        assert left == _rows(OF_FIVE_DAYS)
        assert later == (
            "order  2025-01-02  1 row  replaced  0.0 s\norder  2025-01-06  1 row  committed  0.0 s\n",
            "",
            0,
        )
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20], "06": [6]})

    @pytest.mark.parametrize("begun", [True, False])
    def test_rows_that_expired_before_they_were_merged(
        self,
        warehouse: WarehouseCopy,
        run_command: RunCommand,
        replace: Callable[..., Ended],
        monkeypatch: pytest.MonkeyPatch,
        begun: bool,  # noqa: FBT001 - whether BigQuery makes a job that fails, or refuses to make one
    ) -> None:
        """The next run says so, with the command that replaces the days still."""
        _stock({"02": [20], "06": [6]})
        once(monkeypatch, "replacing", die)
        with pytest.raises(Killed):
            replace("02", "02")
        _drop_staging_tables(warehouse)
        with monkeypatch.context() as patched:
            if not begun:
                _refused_merges(patched)
            later = run_command("smolqwery_extract", "--to", "2025-01-06")
        command = later.stderr.rpartition("manage.py ")[2].split()
        mended = run_command(*command)

        assert later == (
            "order  2025-01-02  1 row  not replaced  0.0 s\norder  2025-01-06  1 row  committed  0.0 s\n",
            f"order: {warehouse.name('order')}, 2025-01-02: a replacement was left undone, and its rows have expired. "
            "To replace these days still: manage.py smolqwery_extract order --replace --from 2025-01-02 "
            "--to 2025-01-02\n",
            0,
        )
        assert mended == ("order  2025-01-02  1 row  replaced  0.0 s\n", "", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20], "06": [6]})
        assert [row[:2] for row in _replacements(warehouse)] == [
            (1, "replacing"),
            (1, "expired"),
            (2, "replacing"),
            (2, "replaced"),
        ]

    def test_a_run_whose_own_rows_expire_reads_them_again(
        self, warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _stock({"02": [20]})
        once(monkeypatch, "replacing", lambda: _drop_staging_tables(warehouse))

        result = replace("02", "02")

        assert result == (
            "order  2025-01-02  1 row  not replaced  0.0 s\norder  2025-01-02  1 row  replaced  0.0 s\n",
            "",
            0,
        )
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20]})

    def test_rows_that_another_run_merges_just_before_they_expire_are_replaced(
        self, warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first attempt fails, another run makes the second, then the rows are gone: that is no "not replaced"."""
        _failing_merges(monkeypatch, 1)
        _stock({"02": [20]})
        run = Jobs.run_once

        def run_and_be_overtaken(self: Jobs, sql: str, parameters: Any, *, job_id: str) -> Any:
            ran = run(self, sql, parameters, job_id=job_id)
            if job_id.startswith("smolqwery-merge") and ran.error:
                monkeypatch.setattr(Jobs, "run_once", run)
                call_command("smolqwery_extract", "--to", "2025-01-05", "--verbosity", "0")
                _drop_staging_tables(warehouse)
            return ran

        monkeypatch.setattr(Jobs, "run_once", run_and_be_overtaken)

        result = replace("02", "02")

        assert result == ("order  2025-01-02  1 row  replaced  0.0 s\n", "", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20]})
        assert {row[1] for row in _replacements(warehouse)} == {"replacing", "replaced"}


@pytest.mark.parametrize("step", ["ledger read", "opened", "appended", "finalized", "staged", "replacing"])
def test_a_table_that_is_made_again_gets_none_of_the_rows(
    warehouse: WarehouseCopy,
    run_command: RunCommand,
    replace: Callable[..., Ended],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    def make_again() -> None:
        warehouse.drop_table("order")
        warehouse.make_table("order")

    _stock({"02": [20]})
    once(monkeypatch, step, make_again)

    result = replace("02", "02")
    left = _orders(warehouse)
    _stock(OF_FIVE_DAYS)
    later = run_command("smolqwery_extract", "--to", "2025-01-05")

    assert result == (
        "",
        f"order failed.\n{warehouse.name('order')}: was dropped and made again meanwhile.\n"
        "  Run the command again: it begins with the table's first day.\nExported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert left == []
    assert later == ("order  2025-01-01 to 2025-01-05  5 rows  committed  0.0 s\n", "", 0)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS)


def test_the_numbers_of_a_lost_ledger_are_not_those_of_the_next(
    warehouse: WarehouseCopy, run_command: RunCommand, replace: Callable[..., Ended]
) -> None:
    """The first replacement of each is number 1, and the jobs of the first ran long ago."""
    _stock({"02": [20]})
    replace("02", "02")
    warehouse.drop_table("ledger", dataset=f"{warehouse.dataset}_exporter")
    ledger = warehouse.schema("exporter_ledger")
    warehouse.make_table("ledger", ledger, dataset=f"{warehouse.dataset}_exporter")
    run_command("smolqwery_extract", "--to", "2025-01-05")
    _stock({"02": [200]})

    result = replace("02", "02")

    assert result == ("order  2025-01-02  1 row  replaced  0.0 s\n", "", 0)
    assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [200]})


class TestInterrupts:
    def test_while_rows_are_read(
        self, warehouse: WarehouseCopy, run_command: RunCommand, replace: Callable[..., Ended]
    ) -> None:
        shop.orders.clear()
        shop.orders.put("2025-01-02", order("2025-01-02", 20), lambda: signal.raise_signal(signal.SIGTERM))

        interrupted = replace("02", "02")
        later = run_command("smolqwery_extract", "--to", "2025-01-05")

        assert interrupted == ("", INTERRUPTED, 1)
        assert later == ("order  nothing new, exported to 2025-01-05\n", "", 0)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS)
        assert _replacements(warehouse) == []

    def test_while_rows_are_merged(
        self, warehouse: WarehouseCopy, replace: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is finished first."""
        _stock({"02": [20]})
        once(monkeypatch, "replacing", lambda: signal.raise_signal(signal.SIGTERM))

        interrupted = replace("02", "02")

        assert interrupted == ("order  2025-01-02  1 row  replaced  0.0 s\n", INTERRUPTED, 1)
        assert _orders(warehouse) == _rows(OF_FIVE_DAYS | {"02": [20]})
        assert [row[:2] for row in _replacements(warehouse)] == [(1, "replacing"), (1, "replaced")]


def _drop_staging_tables(warehouse: WarehouseCopy) -> None:
    """As BigQuery does when they expire."""
    for table in _staging_tables(warehouse):
        warehouse.drop_table(table, dataset=f"{warehouse.dataset}_exporter")


def _failing_merges(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """BigQuery fails the next MERGEs; the ids of all that are begun."""
    begin: Any = Jobs._begin
    begun: list[str] = []

    def fail(self: Jobs, sql: str, parameters: Any, *, job_id: str | None = None) -> Any:
        if job_id is not None and job_id.startswith("smolqwery-merge"):
            begun.append(job_id)
            if len(begun) <= times:
                sql = "SELECT ERROR('rate limit exceeded')"
        return begin(self, sql, parameters, job_id=job_id)

    monkeypatch.setattr(Jobs, "_begin", fail)
    monkeypatch.setattr("exporter.jobs._PAUSE_SECONDS", 0.0)
    return begun


def _refused_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    """BigQuery does not find a table that they name."""
    begin: Any = Jobs._begin

    def refuse(self: Jobs, sql: str, parameters: Any, *, job_id: str | None = None) -> Any:
        if job_id is not None and job_id.startswith("smolqwery-merge"):
            raise NotFound("Not found: Table")
        return begin(self, sql, parameters, job_id=job_id)

    monkeypatch.setattr(Jobs, "_begin", refuse)
    monkeypatch.setattr("exporter.jobs._PAUSE_SECONDS", 0.0)
