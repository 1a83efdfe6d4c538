"""`manage.py smolqwery_extract` when a day cannot be exported: what is visible then, and how it goes on."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from exporter import batches, payloads, unit
from exporter.write_stream import WriteStream
from exporter.write_streams import WriteStreams
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, order

if TYPE_CHECKING:
    from conftest import MakeWarehouse, RunCommand

ORDERS = "exporter_cases.shop.OrderExtractor"
TOTALS = "exporter_cases.shop.TotalExtractor"
MEND = "What was read of this day is not exported. Mend the extractor or its database, then run the command again."


def _put_orders(*numbers: int) -> None:
    """One on each of the first days of the year, with the day for its number."""
    for number in numbers:
        shop.orders.put(f"2025-01-{number:02}", order(f"2025-01-{number:02}", number))


def test_a_packed_day_that_fails_ends_its_unit_with_the_day_before(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    _put_orders(1, 2, 3, 4, 5, 6)
    shop.orders.put("2025-01-05", KeyError("customer"))  # after one of its rows

    first = run_command("smolqwery_extract", "--to", "2025-01-06")
    rows_then = warehouse.rows("order", "number")
    days_then = warehouse.ledger("DISTINCT MAX(`day`)", "ORDER BY 1")
    shop.orders.clear()
    _put_orders(5, 6)
    second = run_command("smolqwery_extract", "--to", "2025-01-06")

    assert first == (
        "order  2025-01-01 to 2025-01-04  4 rows  committed  0.0 s\n",
        f"order failed.\n{ORDERS}, 2025-01-05: extract() raised KeyError: 'customer'.\n  {MEND}\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert (rows_then, days_then) == ([(1,), (2,), (3,), (4,)], [(date(2025, 1, 4),)])
    assert second == ("order  2025-01-05 to 2025-01-06  2 rows  committed  0.0 s\n", "", 0)
    assert shop.orders.asked == ["2025-01-05", "2025-01-06"]
    assert warehouse.rows("order", "number") == [(1,), (2,), (3,), (4,), (5,), (6,)]


def test_a_row_that_is_refused_ends_its_unit_with_the_day_before(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    _put_orders(1, 2)
    naive = shop.Order(datetime(2025, 1, 2, 10), 3)  # noqa: DTZ001 - what this is about
    shop.orders.put("2025-01-02", naive, order("2025-01-02", 4))

    result = run_command("smolqwery_extract", "--to", "2025-01-03")

    assert result == (
        "order  2025-01-01  1 row  committed  0.0 s\n",
        f"order failed.\n{ORDERS}, 2025-01-02, row 2, column timestamp: naive datetime 2025-01-02 10:00:00.\n"
        "  Use an aware datetime, e.g. django.utils.timezone.make_aware(value).\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert warehouse.rows("order", "number") == [(1,)]


def test_a_first_day_that_fails_leaves_nothing(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor)
    _put_orders(1)
    shop.orders.put("2025-01-01", "no order")

    result = run_command("smolqwery_extract", "--to", "2025-01-03")

    assert result == (
        "",
        f"order failed.\n{ORDERS}, 2025-01-01, row 2: str instead of Order.\n"
        "  Yield instances of exporter_cases.shop.Order.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert warehouse.rows("order") == warehouse.ledger("*") == []


def test_a_table_that_fails_does_not_stop_the_next(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", RuntimeError("the database is away"))
    shop.totals.put("2025-01-01", Total(orders=1))

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == (
        "total  2025-01-01  1 row  committed  0.0 s\n",
        f"order failed.\n{ORDERS}, 2025-01-01: extract() raised RuntimeError: the database is away.\n  {MEND}\n"
        "Exported 1 of 2 tables. Failed: order.\n",
        1,
    )
    assert warehouse.rows("total", "`orders`") == [(1,)]


@pytest.mark.parametrize(("rows", "found"), [(0, "no row"), (2, "more than one row")])
def test_an_aggregated_day_has_one_row(
    make_warehouse: MakeWarehouse, run_command: RunCommand, rows: int, found: str
) -> None:
    warehouse = make_warehouse(TotalExtractor)
    shop.totals.put("2025-01-01", Total(orders=1))
    shop.totals.put("2025-01-02", *[Total(orders=1)] * rows)

    result = run_command("smolqwery_extract", "--to", "2025-01-02")

    assert result == (
        "total  2025-01-01  1 row  committed  0.0 s\n",
        f"total failed.\n{TOTALS}, 2025-01-02: {found} for a day that is aggregated.\n"
        "  Yield exactly one row a day, or use ExtractorType.individual_rows.\n"
        "Exported 0 of 1 tables. Failed: total.\n",
        1,
    )
    assert warehouse.rows("total", "`orders`") == [(1,)]


def test_a_failure_is_an_exception_for_call_command(make_warehouse: MakeWarehouse, db: None) -> None:
    del db
    make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", ValueError("no"))

    with pytest.raises(CommandError, match=r"^Exported 0 of 1 tables\. Failed: order\.$"):
        call_command("smolqwery_extract", "--to", "2025-01-01")


def test_traceback_shows_where_an_extractor_failed(
    make_warehouse: MakeWarehouse, run_command: RunCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", ValueError("no"))

    with pytest.raises(CommandError, match=r"Failed: order\."):
        run_command("smolqwery_extract", "--to", "2025-01-01", "--traceback")

    stderr = capsys.readouterr().err
    assert stderr.startswith("order failed.\nTraceback (most recent call last):\n")
    assert "in extract\n    yield from orders.take(date_start.date())" in stderr
    assert stderr.endswith(f"{ORDERS}, 2025-01-01: extract() raised ValueError: no.\n  {MEND}\n")


class TestLargeDays:
    """A day that is not held back in memory is a unit, and a stream, of its own."""

    @pytest.fixture(autouse=True)
    def _small_limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unit, "HELD_BYTES", 20_000)
        monkeypatch.setattr(batches, "_CHUNK_BYTES", 10_000)

    def _put_large(self, day: str) -> None:
        shop.orders.put(day, *(order(day, number, customer="x" * 100) for number in range(1000)))

    def test_between_small_ones(self, make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
        warehouse = make_warehouse(OrderExtractor)
        _put_orders(1, 2, 4, 5)
        self._put_large("2025-01-03")

        result = run_command("smolqwery_extract", "--to", "2025-01-05")

        assert result == (
            "order  2025-01-01 to 2025-01-02  2 rows  committed  0.0 s\n"
            "order  2025-01-03  1,000 rows  committed  0.0 s\n"
            "order  2025-01-04 to 2025-01-05  2 rows  committed  0.0 s\n",
            "",
            0,
        )
        assert warehouse.rows("order", "COUNT(*), COUNT(DISTINCT `number`)") == [(1004, 1000)]

    def test_that_fails_in_its_middle(self, make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
        warehouse = make_warehouse(OrderExtractor)
        _put_orders(1)
        self._put_large("2025-01-02")
        shop.orders.put("2025-01-02", order("2025-01-03", 1001))  # after a thousand good rows, many of them sent

        first = run_command("smolqwery_extract", "--to", "2025-01-03")
        rows_then = warehouse.rows("order", "number")
        shop.orders.clear()
        self._put_large("2025-01-02")
        second = run_command("smolqwery_extract", "--to", "2025-01-02")

        assert first == (
            "order  2025-01-01  1 row  committed  0.0 s\n",
            f"order failed.\n{ORDERS}, 2025-01-02, row 1001, column timestamp: 2025-01-03 12:00:00-05:00 is outside "
            "the window of its day, 2025-01-02 00:00:00-05:00 to 2025-01-03 00:00:00-05:00.\n"
            "  Yield only rows with date_start <= value < date_end, in a QuerySet .filter(timestamp__gte=date_start, "
            "timestamp__lt=date_end).\n"
            "Exported 0 of 1 tables. Failed: order.\n",
            1,
        )
        assert rows_then == [(1,)]
        assert second == ("order  2025-01-02  1,000 rows  committed  0.0 s\n", "", 0)
        assert warehouse.rows("order", "COUNT(*)") == [(1001,)]

    def test_that_fails_leaves_no_stream_open(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_warehouse(OrderExtractor)
        self._put_large("2025-01-01")
        shop.orders.put("2025-01-01", RuntimeError("late"))
        monkeypatch.setattr(payloads, "TARGET_BYTES", 10_000)
        streams: list[WriteStream] = []
        start = WriteStream.__init__

        def recorded(self: WriteStream, *args: Any, **kwargs: Any) -> None:
            streams.append(self)
            start(self, *args, **kwargs)

        monkeypatch.setattr(WriteStream, "__init__", recorded)

        result = run_command("smolqwery_extract", "--to", "2025-01-01")

        assert result.exit_code == 1
        (name,) = [stream.name for stream in streams]
        assert [thread.name for thread in threading.enumerate() if name in thread.name] == []


def test_a_unit_ends_with_the_day_that_fills_it(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_warehouse(OrderExtractor)
    _put_orders(1, 2, 3, 4, 5)
    monkeypatch.setattr(unit, "UNIT_ROWS", 2)

    result = run_command("smolqwery_extract", "--to", "2025-01-05")

    assert result == (
        "order  2025-01-01 to 2025-01-02  2 rows  committed  0.0 s\n"
        "order  2025-01-03 to 2025-01-04  2 rows  committed  0.0 s\n"
        "order  2025-01-05  1 row  committed  0.0 s\n",
        "",
        0,
    )


def test_requests_stay_below_what_bigquery_takes(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    wide = "x" * 900_000
    shop.orders.put("2025-01-01", *(order("2025-01-01", number, customer=wide) for number in range(20)))
    sizes: list[int] = []
    append = WriteStreams.append

    def recorded(self: WriteStreams, *, rows: int, data: bytes) -> None:
        sizes.append(len(data))
        append(self, rows=rows, data=data)

    monkeypatch.setattr(WriteStreams, "append", recorded)

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == ("order  2025-01-01  20 rows  committed  0.0 s\n", "", 0)
    assert sum(sizes) > 18_000_000
    assert max(sizes) <= 7_000_000
    assert warehouse.rows("order", "COUNT(*), MIN(LENGTH(`customer`))") == [(20, 900_000)]


def test_a_row_too_wide_for_any_request_is_refused(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1), order("2025-01-01", 2, customer="x" * 7_100_000))

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith(f"order failed.\n{ORDERS}, 2025-01-01, row 2: 7,1")
    assert warehouse.rows("order") == []


class TestTwoRunsAtOnce:
    """The second one runs from beginning to end while the first one reads its rows."""

    def test_the_slower_one_repeats_nothing(self, make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
        warehouse = make_warehouse(OrderExtractor)
        other_run = _once(partial(call_command, "smolqwery_extract", "--to", "2025-01-02"))
        shop.orders.put("2025-01-01", other_run, order("2025-01-01", 1))
        shop.orders.put("2025-01-02", order("2025-01-02", 2))

        result = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert result == (
            "order  2025-01-01 to 2025-01-02  2 rows  committed  0.0 s\n"
            "order  2025-01-01 to 2025-01-02  2 rows  committed by another run  0.0 s\n"
            "order  2025-01-03  0 rows  committed  0.0 s\n",
            "",
            0,
        )
        assert warehouse.rows("order", "number") == [(1,), (2,)]
        assert warehouse.ledger("`day`, COUNT(*)", "WHERE `event` = 'prepared' GROUP BY 1 ORDER BY 1") == [
            (date(2025, 1, 1), 1),
            (date(2025, 1, 2), 1),
            (date(2025, 1, 3), 1),
        ]

    def test_the_faster_one_may_have_gone_further(self, make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
        warehouse = make_warehouse(OrderExtractor)
        other_run = _once(partial(call_command, "smolqwery_extract", "--to", "2025-01-03"))
        shop.orders.put("2025-01-01", other_run, order("2025-01-01", 1))
        shop.orders.put("2025-01-03", order("2025-01-03", 3))

        result = run_command("smolqwery_extract", "--to", "2025-01-01")

        assert result == (
            "order  2025-01-01 to 2025-01-03  2 rows  committed  0.0 s\n"
            "order  2025-01-01 to 2025-01-03  2 rows  committed by another run  0.0 s\n",
            "",
            0,
        )
        assert warehouse.rows("order", "number") == [(1,), (3,)]

    def test_a_failing_day_of_the_slower_one_is_not_its_business_any_more(
        self, make_warehouse: MakeWarehouse, run_command: RunCommand
    ) -> None:
        """It is in BigQuery by then."""
        warehouse = make_warehouse(OrderExtractor)
        other_run = _once(partial(call_command, "smolqwery_extract", "--to", "2025-01-02"))
        shop.orders.put("2025-01-01", other_run, order("2025-01-01", 1))
        shop.orders.put("2025-01-02", _fails_the_second_time(), order("2025-01-02", 2))

        result = run_command("smolqwery_extract", "--to", "2025-01-02")

        assert (result.stderr, result.exit_code) == ("", 0)
        assert warehouse.rows("order", "number") == [(1,), (2,)]


def test_a_table_made_anew_while_its_rows_are_read(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor)

    def make_anew() -> None:
        warehouse.drop_table("order")
        warehouse.make_table("order")

    shop.orders.put("2025-01-01", _once(make_anew), order("2025-01-01", 1))

    first = run_command("smolqwery_extract", "--to", "2025-01-01")
    ledger_then = warehouse.ledger("*")
    second = run_command("smolqwery_extract", "--to", "2025-01-01")

    name = warehouse.name("order")
    assert (first.stdout, first.exit_code) == ("", 1)
    assert first.stderr == (
        f"order failed.\n{name}: was dropped and made again meanwhile.\n"
        "  Run the command again: it begins with the table's first day.\n"
        "Exported 0 of 1 tables. Failed: order.\n"
    )
    assert ledger_then == []
    assert second == ("order  2025-01-01  1 row  committed  0.0 s\n", "", 0)
    assert warehouse.rows("order", "number") == [(1,)]


def test_streamed_days_are_within_ten_years(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    first = datetime.now(UTC).date().replace(day=1)
    first = first.replace(year=first.year - 11)
    warehouse = make_warehouse(OrderExtractor, first_date=str(first))

    result = run_command("smolqwery_extract")

    assert result == (
        "",
        f"order failed.\n{warehouse.name('order')}, {first}: more than 10 years ago: BigQuery takes no streamed rows "
        "into partitions that old.\n"
        "  Set SMOLQWERY_FIRST_DATE to a later day, or return None from get_partitioning() before the table is made.\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert shop.orders.asked == []


def _once(action: shop.Action) -> shop.Action:
    """So that the run that it starts does not start another one."""
    waiting = [action]

    def act() -> None:
        if waiting:
            waiting.pop()()

    return act


def _fails_the_second_time() -> shop.Action:
    outcomes = [None, ValueError("gone")]

    def act() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    return act
