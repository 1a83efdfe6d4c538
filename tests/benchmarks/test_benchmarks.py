"""What the benchmark measures is a whole export, and what has lost a row is not measured."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from rich.console import Console

from benchmarks.databases import Databases, FlightsDatabase
from benchmarks.report import table_of
from benchmarks.rounds import Result, play
from benchmarks.runs import Cost
from benchmarks.targets import Target, running_target
from benchmarks.tools import TOOLS, Tool
from emulator.clients import field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from emulator.clients import Clients

ROWS = 1_500  # more than one day
OURS = ("queryset", "floor-queryset", "floor-queryset-days", "rows", "floor-rows", "floor-rows-days")


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> FlightsDatabase:
    return Databases(directory=tmp_path_factory.mktemp("bench")).of(ROWS)


@pytest.fixture(scope="module")
def sink() -> Iterator[Target]:
    with running_target(keeps_rows=False) as target:
        yield target


@pytest.fixture(autouse=True)
def _table_of_the_benchmark(settings: Settings) -> None:
    settings.SMOLQWERY_EXTRACTORS = ["benchmarks.flight_paths.ByQuerySet"]


def test_our_paths_and_their_floors_export_every_flight_as_it_is(
    emulator_clients: Clients, flights: FlightsDatabase
) -> None:
    target = Target(name="the emulator", clients=emulator_clients, keeps_rows=True)

    results = play(_tools(*OURS), target, flights, rounds=1, tell=lambda _: None)

    assert [result.problem for result in results] == [None] * len(OURS)
    assert all(result.cost and result.cost.seconds > 0 and result.cost.peak_bytes > 0 for result in results)


def test_a_tool_whose_table_is_not_as_it_should_be_gets_no_figure_and_no_other_turn(
    emulator_clients: Clients, flights: FlightsDatabase
) -> None:
    target = Target(name="the emulator", clients=emulator_clients, keeps_rows=True)
    rows, *others = flights.digest
    told: list[str] = []

    (result,) = play(
        _tools("floor-queryset"),
        target,
        dataclasses.replace(flights, digest=[rows, others[0] + 1, *others[1:]]),
        rounds=2,
        tell=told.append,
    )

    assert result.cost is None
    assert result.problem == f"{flights.digest} instead of {[rows, others[0] + 1, *others[1:]]}"
    assert len([line for line in told if line.startswith("Round")]) == 1


def test_the_sink_answers_an_export_and_tells_how_many_rows_it_was_sent(sink: Target, flights: FlightsDatabase) -> None:
    whole = play(_tools("queryset"), sink, flights, rounds=1, tell=lambda _: None)
    fewer = play(
        _tools("floor-queryset"),
        sink,
        dataclasses.replace(flights, rows=ROWS + 1),
        rounds=1,
        tell=lambda _: None,
    )

    assert [result.problem for result in whole + fewer] == [None, "1,500 of 1,501 rows"]


def test_the_sink_counts_the_rows_of_insert_all_whatever_they_hold(sink: Target) -> None:
    sink.clients.http("POST", "datasets", {"datasetReference": {"datasetId": "inserted"}, "location": "EU"})
    sink.clients.make_table("inserted.texts", field("text", "STRING"))
    rows: list[dict[str, str | None]] = [{"text": 'a text like {"json": {}}'}, {"text": None}, {"text": '"json":'}]

    errors = sink.clients.bigquery.insert_rows_json(f"{sink.clients.emulator.project}.inserted.texts", rows)

    with urlopen(f"{sink.clients.emulator.rest_url}/rows") as answer:
        assert (errors, json.load(answer)["inserted"]) == ([], 3)


def test_the_table_has_medians_and_ratios() -> None:
    results = [
        _result("queryset", 1.0, 2.0, 4.0, cpu=0.5, megabytes=180),
        _result("floor-queryset", 1.6, cpu=0.4, megabytes=150),
        _result("floor-queryset-days", 2.5, cpu=1.0, megabytes=160),
        _result("smolqwery", 60.0, cpu=30.0, megabytes=90),
        dataclasses.replace(_result("dlt", 5.0, cpu=4.0, megabytes=300), problem="12 of 1,500 rows"),
        _result("idle", 0.3, cpu=0.2, megabytes=80),
    ]

    picture = io.StringIO()
    Console(file=picture, width=150).print(table_of("Flights", results, 1_500_000))

    rows = [line.strip("│").split("│") for line in picture.getvalue().splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["QuerySet path", "750,000", "2.00", "0.3", "180", "+100", "1.25 (1.25)", "0.80 (0.50)", "30.0", ""],
        ["its floor: ADBC → Arrow → append", "937,500", "1.60", "0.3", "150", "+70", "", "", "37.5", ""],
        ["the same, day by day", "600,000", "2.50", "0.7", "160", "+80", "", "", "24.0", ""],
        ["smolqwery 0.1.3", "25,000", "60.00", "20.0", "90", "+10", "", "", "1.0", ""],
        ["dlt 1.31.0, pyarrow, Parquet", "none", "", "", "", "", "", "", "", ""],
        ["an idle command: smolqwery_status", "", "0.30", "", "80", "", "", "", "", ""],
    ]


def test_an_unknown_tool_is_a_usage_error() -> None:
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).parent), "--only", "nobody"], capture_output=True, check=False, text=True
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "invalid choice: 'nobody'" in ended.stderr


def _tools(*keys: str) -> list[Tool]:
    return [tool for tool in TOOLS if tool.key in keys]


def _result(key: str, *seconds: float, cpu: float, megabytes: int) -> Result:
    (tool,) = _tools(key)
    costs = [Cost(seconds=one, cpu_seconds=cpu, peak_bytes=megabytes * 1_000_000) for one in seconds]
    return Result(tool=tool, costs=costs)
