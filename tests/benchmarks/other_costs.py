"""What else costs time: a day of millions of rows, a run with nothing to do, a server far away, codegen for hundreds of
tables.

A script, and a small one: on Linux the peak memory of a process begins with that of the one that started it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import clicks
from emulator.process import running_emulator, running_server

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
ROWS = int(os.environ.get("LARGE_DAY_ROWS", "3_000_000"))
EXTRACTORS = 200
LATENCY_SECONDS = 0.2
SHORT_RUNS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one process, as the operating system counts it."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def main() -> None:
    table = Table("what", "wall s", "CPU s", "peak MB", title="Other costs", title_justify="left")
    for name, cost in (*_exports(), *_far_exports(), _codegen()):
        table.add_row(name, f"{cost.seconds:.2f}", f"{cost.cpu_seconds:.2f}", f"{cost.peak_megabytes:.0f}")
    Console(width=None if sys.stdout.isatty() else 132).print(table)


def _exports() -> list[tuple[str, Cost]]:
    with running_emulator() as emulator:
        environ = {**os.environ, **emulator.environ, **_paths(), "DJANGO_SETTINGS_MODULE": "benchmark_settings"}
        environ["LARGE_DAY_ROWS"] = str(ROWS)
        _run([sys.executable, str(HERE / "make_warehouse.py")], environ)
        command = [sys.executable, "-m", "django", "smolqwery_extract", "--to", "2025-01-01"]
        return [
            (f"export a day of {ROWS:,} rows from a generator", _run(command, environ)),
            ("the same again: nothing new", _median(command, environ)),
            (
                "manage.py check, google.cloud.bigquery, one query",
                _median([sys.executable, str(HERE / "nothing_floor.py")], environ),
            ),
        ]


def _far_exports() -> list[tuple[str, Cost]]:
    return [
        (
            f"export {clicks.TABLES} tables, {LATENCY_SECONDS:.1f} s away, --workers {workers}",
            _far_export(["smolqwery_extract", "--to", "2025-01-01", "--workers", str(workers)]),
        )
        for workers in (1, clicks.TABLES)
    ]


def _far_export(arguments: list[str]) -> Cost:
    """From tables made anew, on a server that takes its time for each answer."""
    with running_server([sys.executable, "-P", "-m", "benchmarks.late_sink", str(LATENCY_SECONDS)]) as server:
        environ = {**os.environ, **server.environ, **_paths(), "DJANGO_SETTINGS_MODULE": "benchmark_settings"}
        environ["BENCHMARK_EXTRACTORS"] = ",".join(clicks.PATHS)
        _run([sys.executable, str(HERE / "make_warehouse.py")], environ)
        return _run([sys.executable, "-m", "django", *arguments], environ)


def _codegen() -> tuple[str, Cost]:
    with tempfile.TemporaryDirectory() as directory:
        names = [f"Statistic{number}" for number in range(EXTRACTORS)]
        module = [
            "from many_helpers import *",
            *(f"class {n}Row(Row): pass\nclass {n}(Base[{n}Row]): pass" for n in names),
        ]
        Path(directory, "many.py").write_text("\n".join(module), "utf-8")
        helpers = (
            "from dataclasses import dataclass\nfrom exporter import BaseExtractor, ExtractorType, sq_field\n"
            "from typing import Generic, TypeVar\nT = TypeVar('T')\n"
            "@dataclass\nclass Row:\n    users: int = sq_field(differentiate=True)\n    name: str | None = None\n"
            "class Base(BaseExtractor[T], Generic[T]):\n"
            "    def get_extractor_type(self): return ExtractorType.date_aggregated\n"
            "    def extract(self, date_start, date_end): return []\n"
        )
        Path(directory, "many_helpers.py").write_text(helpers, "utf-8")
        environ = {**os.environ, **_paths(directory), "DJANGO_SETTINGS_MODULE": "benchmark_settings"}
        environ["BENCHMARK_EXTRACTORS"] = ",".join(f"many.{name}" for name in names)
        command = [sys.executable, "-m", "codegen", "--output", str(Path(directory, "warehouse"))]
        return f"codegen for {EXTRACTORS} extractors", _run(command, environ)


def _paths(*more: str) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests"), str(HERE), *more])}


def _median(command: list[str], environ: dict[str, str]) -> Cost:
    """Of several runs, each value by itself."""
    costs = [_run(command, environ) for _ in range(SHORT_RUNS)]
    return Cost(**{name: statistics.median(getattr(cost, name) for cost in costs) for name in Cost.__slots__})


def _run(command: list[str], environ: dict[str, str]) -> Cost:
    started = time.monotonic()
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"Exit code {process.returncode}: {' '.join(command)}")
    return Cost(
        seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_megabytes=usage.ru_maxrss / 1024,
    )


if __name__ == "__main__":
    main()
