"""Results → tables for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.rounds import Result
    from benchmarks.runs import Cost

_HEADINGS = ("rows/s", "wall s", "CPU µs/row", "peak MB", "above idle", "× floor", "× by days", "× smolqwery", "× dlt")


def table_of(title: str, results: Sequence[Result], rows: int) -> Table:
    """`× floor`, `× by days` (the floor that asks for each day): of wall time, CPU in brackets.

    `× smolqwery`, `× dlt`: how many times its rows/s.
    """
    costs = {result.tool.key: result.cost for result in results}
    table = Table(title=title, title_justify="left")
    table.add_column("tool")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        cost = costs[result.tool.key]
        name = result.tool.name
        if cost is None:
            table.add_row(name, "none", *[""] * (len(_HEADINGS) - 1))
            continue
        idle = costs.get("idle")
        peak = [f"{cost.peak_bytes / 1e6:.0f}", f"{(cost.peak_bytes - idle.peak_bytes) / 1e6:+.0f}" if idle else ""]
        if result.tool.key == "idle":
            table.add_row(name, "", f"{cost.seconds:.2f}", "", peak[0], *[""] * 5)
            continue
        table.add_row(
            name,
            f"{rows / cost.seconds:,.0f}",
            f"{cost.seconds:.2f}",
            f"{cost.cpu_seconds / rows * 1e6:.1f}",
            *peak,
            _times_floor(cost, costs.get(result.tool.floor or "")),
            _times_floor(cost, costs.get(result.tool.floor_by_days or "")),
            _times_faster(cost, costs.get("smolqwery")),
            _times_faster(cost, costs.get("dlt")),
        )
    return table


def _times_floor(cost: Cost, floor: Cost | None) -> str:
    if floor is None:
        return ""
    return f"{cost.seconds / floor.seconds:.2f} ({cost.cpu_seconds / floor.cpu_seconds:.2f})"


def _times_faster(cost: Cost, other: Cost | None) -> str:
    return "" if other is None else f"{other.seconds / cost.seconds:.1f}"
