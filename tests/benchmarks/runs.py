"""A tool, a target and a database → what one run of it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.databases import FlightsDatabase
    from benchmarks.targets import Target
    from benchmarks.tools import Tool

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
TIMEOUT_SECONDS = 3600.0
_AMBIENT = (
    "BENCHMARK_",
    "BIGQUERY_",
    "CLOUDSDK_",
    "CLOUD_RUN_",
    "DLT_",
    "GCE_",
    "GOOGLE_",
    "PG",
    "PYTHON",
    "RUNTIME__",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of the work of one process, without its start and its imports."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    """Of the whole process."""


class FailedRunError(Exception):
    """It ended with an error, or its table is not as it should be."""


def run(tool: Tool, python: Path, target: Target, database: FlightsDatabase) -> Cost:
    """In a process and a dataset of its own. Raises FailedRunError."""
    dataset = f"b{uuid4().hex[:12]}"
    target.prepare(dataset, tool)
    try:
        cost = _run(tool, python, environ_of(tool, target, dataset, database), database)
        if tool.key != "idle" and (problem := target.problem(dataset, tool, database)):
            raise FailedRunError(problem)
        return cost
    finally:
        target.drop(dataset)


def environ_of(tool: Tool, target: Target, dataset: str, database: FlightsDatabase) -> dict[str, str]:
    return {
        **own_environ(),
        **target.clients.emulator.environ,
        "BENCHMARK_DATASET": dataset,
        "BENCHMARK_LAST_DAY": database.last_day,
        "FLIGHTS_DATABASE": database.name,
        **dict(tool.environ),
    }


def own_environ() -> dict[str, str]:
    """Nothing in it points to a cloud."""
    paths = [str(REPOSITORY), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "example")]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(_AMBIENT)},
        "DJANGO_SETTINGS_MODULE": "benchmarks.flights_settings",
        "NO_GCE_CHECK": "true",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(paths),
        # Compiled once, also where the environment says not to: else it would be done again in every run, and measured.
        "PYTHONPYCACHEPREFIX": str(REPOSITORY / ".bench" / "pycache"),
    }


def _run(tool: Tool, python: Path, environ: dict[str, str], database: FlightsDatabase) -> Cost:
    arguments = [argument.format(last_day=database.last_day) for argument in tool.arguments]
    # -P: the directory of the script is not where modules are looked for, `runs` and `tools` might be anybody's.
    command = [str(python), "-P", str(HERE / tool.script), *arguments]
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            check=False,
            encoding="utf-8",
            env=environ,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise FailedRunError(f"no end after {TIMEOUT_SECONDS:.0f} s") from error
    lines = ended.stdout.splitlines()
    if ended.returncode or not lines:
        raise FailedRunError(f"exit code {ended.returncode}\n{ended.stdout[-2_000:]}{ended.stderr[-4_000:]}")
    return Cost(**json.loads(lines[-1]))


def typical(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        seconds=median(cost.seconds for cost in costs),
        cpu_seconds=median(cost.cpu_seconds for cost in costs),
        peak_bytes=int(median(cost.peak_bytes for cost in costs)),
    )


def python_here() -> Path:
    return Path(sys.executable)
