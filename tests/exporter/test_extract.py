"""`manage.py smolqwery_extract` when all is well, from outside: what it says, and what BigQuery holds then."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import signal
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from google.cloud._http import JSONConnection

from exporter import SchemaError
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, instant, order

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand


def test_small_days_share_a_unit(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1), order("2025-01-01", 2, customer="Ada"))
    shop.orders.put("2025-01-03", order("2025-01-03", 3))
    for day, orders in (("2025-01-01", 2), ("2025-01-02", 2), ("2025-01-03", 3)):
        shop.totals.put(day, Total(orders=orders))

    result = run_command("smolqwery_extract", "--to", "2025-01-03")

    assert result == (
        "order  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s\n"
        "total  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s\n",
        "",
        0,
    )
    assert warehouse.rows("order", clauses="ORDER BY 2") == [
        (instant("2025-01-01"), 1, None),
        (instant("2025-01-01"), 2, "Ada"),
        (instant("2025-01-03"), 3, None),
    ]
    assert warehouse.rows("total") == [(date(2025, 1, 1), 2), (date(2025, 1, 2), 2), (date(2025, 1, 3), 3)]
    assert warehouse.rows("total_delta") == [(date(2025, 1, 1), 2), (date(2025, 1, 2), 0), (date(2025, 1, 3), 1)]


def test_days_without_rows_are_recorded_and_not_asked_again(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(OrderExtractor)

    first = run_command("smolqwery_extract", "--to", "2025-01-02")
    shop.orders.put("2025-01-01", order("2025-01-01", 1))  # too late
    second = run_command("smolqwery_extract", "--to", "2025-01-02")

    assert first == ("order  2025-01-01 to 2025-01-02  0 rows  committed  0.0 s\n", "", 0)
    assert second == ("order  nothing new, exported to 2025-01-02\n", "", 0)
    assert shop.orders.asked == ["2025-01-01", "2025-01-02"]
    assert warehouse.rows("order") == []
    assert warehouse.ledger("`day`, `event`, `row_count`, ARRAY_LENGTH(`streams`)") == [
        (date(2025, 1, 1), "prepared", 0, 0),
        (date(2025, 1, 2), "prepared", 0, 0),
    ]


def test_a_second_run_asks_nobody_and_takes_one_query_of_the_ledger(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.totals.put("2025-01-01", Total(orders=1))
    run_command("smolqwery_extract", "--to", "2025-01-01")
    shop.orders.asked.clear()
    shop.totals.asked.clear()
    before = warehouse.rows("order"), warehouse.rows("total"), warehouse.ledger("*")
    requests = _recorded_requests(monkeypatch)

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == (
        "order  nothing new, exported to 2025-01-01\ntotal  nothing new, exported to 2025-01-01\n",
        "",
        0,
    )
    assert shop.orders.asked == shop.totals.asked == []
    assert sorted(_calls(requests)) == ["GET order", "GET total", "POST queries"]
    (query,) = (request[2]["query"] for request in requests if request[0] == "POST")
    assert warehouse.ledger_name in query
    assert warehouse.name("order") not in query  # nothing scans the tables themselves
    assert (warehouse.rows("order"), warehouse.rows("total"), warehouse.ledger("*")) == before


def test_a_unit_takes_four_calls_of_the_rest_api(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the three that a run begins with. A job with an id of its own is begun, and its end awaited."""
    warehouse = make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    requests = _recorded_requests(monkeypatch)

    run_command("smolqwery_extract", "--to", "2025-01-01")

    begin, await_end, mark = "POST jobs", "GET smolqwery-prepare", "POST queries"
    ledger = rows_there = "POST queries"
    begins, unit = _calls(requests)[:2], _calls(requests)[2:]
    assert sorted(begins) == ["GET order", ledger]
    assert unit == [rows_there, "GET order", begin, await_end, mark]
    assert warehouse.rows("order", "`number`") == [(1,)]


def test_the_next_run_goes_on_where_the_last_one_ended(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor)
    for number in (1, 2, 3):
        shop.orders.put(f"2025-01-0{number}", order(f"2025-01-0{number}", number))

    first = run_command("smolqwery_extract", "--to", "2025-01-01")
    second = run_command("smolqwery_extract", "--from", "2025-01-02", "--to", "2025-01-03")

    assert first == ("order  2025-01-01  1 row  committed  0.0 s\n", "", 0)
    assert second == ("order  2025-01-02 to 2025-01-03  2 rows  committed  0.0 s\n", "", 0)
    assert warehouse.rows("order", "number") == [(1,), (2,), (3,)]


LEAVE_OUT = "Leave --from out, or give --from 2025-01-03."
REPLACE = "Leave --from out, give --from 2025-01-03, or add --replace to exchange exported days."


@pytest.mark.parametrize(
    ("first", "problem", "remedy"),
    [
        ("2025-01-04", "the days from 2025-01-03 would be left out.", LEAVE_OUT),
        ("2025-01-02", "exported already, to 2025-01-02: its rows would be there twice.", REPLACE),
        ("2024-12-31", "exported already, to 2025-01-02: its rows would be there twice.", REPLACE),
    ],
)
def test_from_must_be_the_first_open_day(
    make_warehouse: MakeWarehouse, run_command: RunCommand, first: str, problem: str, remedy: str
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    run_command("smolqwery_extract", "--to", "2025-01-02")
    shop.orders.asked.clear()

    result = run_command("smolqwery_extract", "--from", first, "--to", "2025-01-05")

    assert result == (
        "",
        f"order failed.\n--from {first}, {warehouse.name('order')}: {problem}\n"
        f"  {remedy}\n"
        "Exported 0 of 1 tables. Failed: order.\n",
        1,
    )
    assert shop.orders.asked == []


def test_only_the_tables_that_are_named(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)

    result = run_command("smolqwery_extract", "order", "--to", "2025-01-01")

    assert result == ("order  2025-01-01  0 rows  committed  0.0 s\n", "", 0)
    assert shop.totals.asked == []
    assert warehouse.ledger("DISTINCT `table_id`", "ORDER BY 1") == [("order",)]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ordr"], "'ordr' is not a table of SMOLQWERY_EXTRACTORS. Tables: order, total."),
        (["--from", "garbage"], "--from garbage: not a date. Write it as 2025-01-31."),
        (["--to", "2025-02-30"], "--to 2025-02-30: not a date. Write it as 2025-01-31."),
        (
            ["--from", "2025-02-02", "--to", "2025-02-01"],
            "--from 2025-02-02 is after --to 2025-02-01. Swap them.",
        ),
    ],
)
def test_usage_errors(
    make_warehouse: MakeWarehouse, run_command: RunCommand, arguments: list[str], problem: str
) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)

    result = run_command("smolqwery_extract", *arguments)

    assert result == ("", f"{problem}\n", 2)
    assert shop.orders.asked == []
    assert warehouse.ledger("*") == []


def test_an_unknown_option_is_a_usage_error(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    make_warehouse(OrderExtractor)

    result = run_command("smolqwery_extract", "-f", "garbage")

    assert (result.stdout, result.exit_code) == ("", 2)
    assert result.stderr.endswith("manage.py smolqwery_extract: error: unrecognized arguments: -f\n")


def test_a_dry_run_reads_and_checks_and_writes_nothing(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.totals.put("2025-01-01", Total(orders=1), Total(orders=1))

    result = run_command("smolqwery_extract", "--dry-run", "--to", "2025-01-02")

    assert result == (
        "order  2025-01-01 to 2025-01-02  1 row  would commit  0.0 s\n",
        "total failed.\n"
        "exporter_cases.shop.TotalExtractor, 2025-01-01: more than one row for a day that is aggregated.\n"
        "  Yield exactly one row a day, or use ExtractorType.individual_rows.\n"
        "Exported 1 of 2 tables. Failed: total.\n",
        1,
    )
    assert warehouse.rows("order") == warehouse.rows("total") == warehouse.ledger("*") == []


def test_verbosity_0_is_silent(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))

    first = run_command("smolqwery_extract", "--to", "2025-01-01", "--verbosity", "0")
    second = run_command("smolqwery_extract", "--to", "2025-01-01", "--verbosity", "0")

    assert first == second == ("", "", 0)
    assert warehouse.rows("order", "number") == [(1,)]


def test_two_extractors_of_one_table_are_refused_without_a_system_check(
    make_warehouse: MakeWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_warehouse(OrderExtractor, TotalExtractor)
    monkeypatch.setattr(TotalExtractor, "get_table_name", lambda _extractor: "order")

    with pytest.raises(SchemaError, match=r"'order' is the table of .*TotalExtractor and also the table of"):
        call_command("smolqwery_extract", "--to", "2025-01-01")


def test_a_traceback_in_a_cloud_run_job(
    make_warehouse: MakeWarehouse, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Error Reporting reads it: https://cloud.google.com/error-reporting/docs/formatting-error-messages"""
    make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", ValueError("out of paper"))
    monkeypatch.setenv("CLOUD_RUN_JOB", "export")

    del db
    stdout = io.StringIO()

    with pytest.raises(CommandError):
        call_command("smolqwery_extract", "--to", "2025-01-01", "--traceback", stdout=stdout)

    trace = json.loads(stdout.getvalue())["stack_trace"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "ValueError: out of paper" in trace


def test_an_interrupted_run_leaves_a_terminal_as_it_was(
    make_warehouse: MakeWarehouse, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del db

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", *(order("2025-01-01", number) for number in range(100)))
    shop.orders.put("2025-01-02", order("2025-01-02", 1), lambda: os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setenv("TERM", "xterm")
    stderr = Terminal()

    with pytest.raises(CommandError, match="Interrupted"):
        call_command("smolqwery_extract", "--to", "2025-01-02", stderr=stderr)

    assert stderr.getvalue().count("\x1b[?25l") == stderr.getvalue().count("\x1b[?25h") > 0


def test_json_lines_in_a_cloud_run_job(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.totals.put("2025-01-01", ValueError("out of\nnumbers"))
    monkeypatch.setenv("CLOUD_RUN_JOB", "export")
    monkeypatch.setenv("CLOUD_RUN_EXECUTION", "export-x7k2p")

    first = run_command("smolqwery_extract", "--to", "2025-01-02")
    second = run_command("smolqwery_extract", "order", "--to", "2025-01-02")

    unit, failure = map(json.loads, first.stdout.splitlines())
    assert unit.pop("seconds") >= 0
    assert unit.pop("message").startswith("order  2025-01-01 to 2025-01-02  1 row  committed  ")
    assert unit == {
        "severity": "INFO",
        "run_id": "export-x7k2p",
        "table": "order",
        "first_day": "2025-01-01",
        "last_day": "2025-01-02",
        "rows": 1,
        "outcome": "committed",
    }
    assert failure == {
        "severity": "ERROR",
        "message": "total failed. exporter_cases.shop.TotalExtractor, 2025-01-01: extract() raised "
        "ValueError: out of numbers.\n"
        "  What was read of this day is not exported. Mend the extractor or its database, then run the command again.",
        "run_id": "export-x7k2p",
        "table": "total",
        "error": "ExtractionError",
    }
    assert (first.stderr, first.exit_code) == ("Exported 1 of 2 tables. Failed: total.\n", 1)
    assert json.loads(second.stdout) == {
        "severity": "INFO",
        "message": "order: nothing new, exported to 2025-01-02",
        "run_id": "export-x7k2p",
        "table": "order",
        "head": "2025-01-02",
    }
    assert warehouse.ledger("DISTINCT `run_id`", "ORDER BY 1") == [("export-x7k2p",)]


def test_a_day_is_exported_when_it_has_ended_locally_and_settled(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    settings: Settings,
    set_clock: Callable[[str], None],
) -> None:
    make_warehouse(OrderExtractor)
    settings.SMOLQWERY_SETTLE_DELAY = timedelta(hours=2)

    set_clock("2025-01-02T01:59:59-05:00")  # in UTC it is nearly seven
    early = run_command("smolqwery_extract")
    set_clock("2025-01-02T02:00:00-05:00")
    settled = run_command("smolqwery_extract")

    assert early == ("order  nothing new, exported to 2024-12-31\n", "", 0)
    assert settled == ("order  2025-01-01  0 rows  committed  0.0 s\n", "", 0)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("America/Los_Angeles", 23), ("Europe/Paris", 0)],
)
def test_days_are_local_and_each_is_exported_once(  # noqa: PLR0913, PLR0917 - fixtures
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    settings: Settings,
    set_clock: Callable[[str], None],
    zone: str,
    hour: int,
) -> None:
    """A row just before or after local midnight, which in UTC is on another day; a run at every UTC midnight."""
    settings.TIME_ZONE = zone
    warehouse = make_warehouse(OrderExtractor)
    for number in (1, 2, 3, 4):
        day = f"2025-01-0{number}"
        shop.orders.put(day, order(day, number, hour=hour, zone=zone))

    outputs = []
    for number in (2, 3, 4, 5):
        set_clock(f"2025-01-0{number}T00:30:00+00:00")
        outputs.append(run_command("smolqwery_extract"))

    assert {output.exit_code for output in outputs} == {0}
    finished = [1, 2, 3] if zone == "America/Los_Angeles" else [1, 2, 3, 4]
    assert warehouse.rows("order", "number") == [(number,) for number in finished]


def test_clock_changes(make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last hour of the days with 23 and 25 belong to them."""
    warehouse = make_warehouse(OrderExtractor, first_date="2025-03-08")
    asked: list[tuple[str, str]] = []
    extract = OrderExtractor.extract

    def spied(self: OrderExtractor, date_start: Any, date_end: Any) -> Any:
        asked.append((date_start.isoformat(), date_end.isoformat()))
        return extract(self, date_start, date_end)

    monkeypatch.setattr(OrderExtractor, "extract", spied)
    for number, day in enumerate(("2025-03-08", "2025-03-09", "2025-03-10", "2025-11-02", "2025-11-03")):
        shop.orders.put(day, order(day, number, hour=0), order(day, number, hour=23))

    result = run_command("smolqwery_extract", "--to", "2025-11-03")

    assert result == ("order  2025-03-08 to 2025-11-03  10 rows  committed  0.0 s\n", "", 0)
    assert ("2025-03-09T00:00:00-05:00", "2025-03-10T00:00:00-04:00") in asked
    assert ("2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00") in asked
    local_day = "EXTRACT(DATE FROM `timestamp` AT TIME ZONE 'America/New_York')"
    assert warehouse.rows("order", f"number, MIN({local_day}), COUNT(*)", "GROUP BY 1 ORDER BY 1") == [
        (0, date(2025, 3, 8), 2),
        (1, date(2025, 3, 9), 2),
        (2, date(2025, 3, 10), 2),
        (3, date(2025, 11, 2), 2),
        (4, date(2025, 11, 3), 2),
    ]


def test_a_row_from_the_future_in_the_table_stops_nothing(
    make_warehouse: MakeWarehouse, run_command: RunCommand
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    run_command("smolqwery_extract", "--to", "2025-01-01")
    warehouse.sql(f"INSERT INTO `{warehouse.name('order')}` (`timestamp`, `number`) VALUES ('2099-01-01', 99)")
    shop.orders.put("2025-01-02", order("2025-01-02", 2))

    result = run_command("smolqwery_extract", "--to", "2025-01-02")

    assert result == ("order  2025-01-02  1 row  committed  0.0 s\n", "", 0)


def test_an_aggregated_table_may_name_its_date_column(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(shop.DailyExtractor)
    shop.totals.put("2025-01-01", shop.Daily(orders=1))

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == ("daily  2025-01-01  1 row  committed  0.0 s\n", "", 0)
    assert warehouse.rows("daily", "`sold_on`, `orders`") == [(date(2025, 1, 1), 1)]


def test_a_mail_in_the_outbox_of_tests_changes_nothing(
    make_warehouse: MakeWarehouse, run_command: RunCommand, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.send_mail("subject", "message", None, ["ada@example.com"])
    assert mail.outbox
    warehouse = make_warehouse(OrderExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))

    run_command("smolqwery_extract", "--to", "2025-01-01")

    assert warehouse.rows("order", "number") == [(1,)]


def test_logging_of_the_host_is_left_alone(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    make_warehouse(OrderExtractor)
    root = logging.getLogger()
    before = root.level, list(root.handlers), logging.root.manager.disable

    run_command("smolqwery_extract", "--to", "2025-01-01")

    assert (root.level, list(root.handlers), logging.root.manager.disable) == before


def _recorded_requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """Method, path and body of all that is sent to BigQuery's REST API from now on."""
    requests: list[tuple[str, str, Any]] = []
    send: Any = JSONConnection.api_request

    def recorded(self: JSONConnection, *args: Any, **kwargs: Any) -> Any:
        requests.append((kwargs["method"], kwargs["path"], kwargs.get("data")))
        return send(self, *args, **kwargs)

    monkeypatch.setattr(JSONConnection, "api_request", recorded)
    return requests


def _calls(requests: list[tuple[str, str, Any]]) -> list[str]:
    """Without what differs from run to run."""
    ends = [(method, path.partition("?")[0].rpartition("/")[2]) for method, path, _ in requests]
    return [f"{method} {'-'.join(end.split('-')[:2])}" for method, end in ends]


@pytest.mark.parametrize(
    ("chosen", "turn", "meanwhile"),
    [
        ((700, 10, 10), 0.005, ((5_000, 10, 10), 0.0005)),
        ((50_000, 3, 2), 0.00025, ((50_000, 3, 2), 0.00025)),
        ((0, 10, 10), 0.005, ((0, 10, 10), 0.0005)),
    ],
    ids=["Python's own", "a team's", "no collections"],
)
def test_the_interpreter_is_as_it_was_after_a_run_that_fails(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    chosen: tuple[int, int, int],
    turn: float,
    meanwhile: tuple[tuple[int, int, int], float],
) -> None:
    make_warehouse(OrderExtractor)
    seen: list[tuple[tuple[int, int, int], float]] = []

    def fail() -> None:
        seen.append((gc.get_threshold(), sys.getswitchinterval()))
        raise ValueError("no shop")

    shop.orders.put("2025-01-01", fail)
    before = gc.get_threshold(), sys.getswitchinterval()
    try:
        gc.set_threshold(*chosen)
        sys.setswitchinterval(turn)
        result = run_command("smolqwery_extract", "--to", "2025-01-01")
        after = gc.get_threshold(), sys.getswitchinterval()
    finally:
        gc.set_threshold(*before[0])
        sys.setswitchinterval(before[1])

    assert result.exit_code == 1
    assert seen == [meanwhile]
    assert after == (chosen, turn)
