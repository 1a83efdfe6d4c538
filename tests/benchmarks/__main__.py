"""`python tests/benchmarks`: what an export costs, ours and other tools', as tables, on this machine."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

REPOSITORY = Path(__file__).resolve().parents[2]
# `python DIRECTORY` puts the directory itself on the path, where our `tools` is nobody's module.
sys.path[:1] = [str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "example"), str(REPOSITORY)]

from benchmarks.databases import Databases  # noqa: E402 - found only now
from benchmarks.environments import python_of  # noqa: E402
from benchmarks.postgresql import running_postgresql  # noqa: E402
from benchmarks.runs import own_environ  # noqa: E402
from benchmarks.tools import TOOLS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.tools import Tool

MADE = REPOSITORY / ".bench"
OTHER_COSTS = Path(__file__).parent / "other_costs.py"
FLIGHTS = 336_776
PLOTTED_ROWS = (10_000, 100_000, 1_000_000, 10_000_000)


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    if options.postgresql and find_spec("pgserver") is None:
        parser.error("--postgresql needs the package pgserver, which has no wheel for this Python. Use 3.11 or 3.12.")
    os.environ |= {"DJANGO_SETTINGS_MODULE": "benchmarks.flights_settings", "FLIGHTS_DATABASE": ":memory:"}
    import django

    django.setup()  # for the tables' schemas; the databases are other processes' business
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    in_a_day = options.one_day or options.plot
    asked = [tool for tool in TOOLS if options.only is None or tool.key in options.only]
    tools = [tool for tool in asked if not (tool.by_days and in_a_day)]
    for environment in dict.fromkeys(tool.environment for tool in tools if tool.environment):
        python_of(environment, _tell)
    MADE.mkdir(exist_ok=True)
    server = running_postgresql() if options.postgresql else nullcontext(None)
    with server as postgresql:
        databases = Databases(directory=MADE, postgresql=postgresql, one_day=in_a_day)
        if options.plot:
            _plot(tools, databases, options)
        else:
            _compare(tools, databases, options, console)
    if options.only is None and not options.plot and not options.unrepaired:
        subprocess.run([sys.executable, "-P", str(OTHER_COSTS)], env=own_environ(), check=True)


def _compare(tools: Sequence[Tool], databases: Databases, options: argparse.Namespace, console: Console) -> None:
    from benchmarks.report import table_of
    from benchmarks.rounds import play
    from benchmarks.targets import running_target

    console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_machine()}; medians of {options.rounds} rounds.")
    # As it comes, bqemulator keeps a copy of a table for each insertAll: of ten times as many they fill a disk.
    for rows in options.rows or ((FLIGHTS,) if options.unrepaired else (FLIGHTS, 10 * FLIGHTS)):
        database = databases.of(rows)
        bearable = [tool for tool in tools if options.only or rows <= tool.most_rows]
        for keeps_rows in (True,) if options.unrepaired else (True, False):
            with running_target(keeps_rows=keeps_rows, repaired=not options.unrepaired) as target:
                results = play(bearable, target, database, rounds=options.rounds, tell=_tell)
            if not results:
                continue
            title = f"{rows:,} flights, {databases.kind} → {target.name}"
            console.print(table_of(title, results, rows))
            if left_out := [tool.name for tool in tools if tool not in bearable]:
                console.print(f"Left out, they would take many minutes: {', '.join(left_out)}")
            for result in results:
                if result.problem:
                    console.print(f"{result.tool.name}: no figure, {result.problem}", style="red")


def _plot(tools: Sequence[Tool], databases: Databases, options: argparse.Namespace) -> None:
    from benchmarks.plot import plot

    python = python_of("plot", _tell)
    plot(tools, databases, options.rows or PLOTTED_ROWS, python=python, into=MADE, rounds=options.rounds, tell=_tell)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description=__doc__)
    keys = [tool.key for tool in TOOLS]
    parser.add_argument(
        "--only", nargs="+", choices=keys, metavar="TOOL", help=f"leave the others out: {', '.join(keys)}"
    )
    parser.add_argument(
        "--rows",
        nargs="+",
        type=_count,
        metavar="N",
        help=f"so many flights, the same ones again and again; {FLIGHTS}, and (not --unrepaired) ten times as many",
    )
    parser.add_argument("--rounds", type=_count, default=3, metavar="N", help="of which the median counts; %(default)s")
    parser.add_argument("--one-day", action="store_true", help="all flights within one day, not within a year")
    parser.add_argument("--unrepaired", action="store_true", help="to bqemulator without tests/emulator/repairs")
    parser.add_argument("--postgresql", action="store_true", help="from PostgreSQL, not from a file of SQLite")
    parser.add_argument(
        "--plot", action="store_true", help="draw throughput and memory against rows in a day, 10,000 to 10,000,000"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return int(text)


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    main()
