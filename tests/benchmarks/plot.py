"""Numbers of rows → a picture of throughput and peak memory against them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.rounds import play
from benchmarks.targets import running_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.databases import Databases
    from benchmarks.tools import Tool

DRAWING = Path(__file__).resolve().parent / "draw_plot.py"


def plot(  # noqa: PLR0913 - what a plot is
    tools: Sequence[Tool],
    databases: Databases,
    numbers: Sequence[int],
    *,
    python: Path,
    into: Path,
    rounds: int,
    tell: Callable[[str], None],
) -> None:
    """`into/plot.json`, which `python`, one with matplotlib, draws as `plot.png` and `plot.svg` beside it."""
    points: list[dict[str, object]] = []
    for rows in numbers:
        database = databases.of(rows)
        bearable = [tool for tool in tools if rows <= tool.most_rows and tool.key != "idle"]
        with running_target(keeps_rows=True) as target:
            results = play(bearable, target, database, rounds=rounds, tell=tell)
        for result in results:
            if (cost := result.cost) is not None:
                megabytes = cost.peak_bytes / 1e6
                points.append(
                    {
                        "tool": result.tool.name,
                        "rows": rows,
                        "rows_per_second": rows / cost.seconds,
                        "megabytes": megabytes,
                    }
                )
                tell(f"{result.tool.name}: {rows / cost.seconds:,.0f} rows/s, {megabytes:,.0f} MB at {rows:,} rows")
    data = into / "plot.json"
    data.write_text(json.dumps({"title": f"Flights {databases.kind} → BigQuery emulator", "points": points}), "utf-8")
    for suffix in (".png", ".svg"):
        subprocess.run([str(python), str(DRAWING), str(data), str(data.with_suffix(suffix))], check=True)
        tell(f"Drawn: {data.with_suffix(suffix)}")
