"""Tools → rounds of runs, one tool after the other in each, so that all of them share a machine's moods.

Every other round goes backwards: what a tool leaves behind in the emulator is not always the same one's burden.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.environments import python_of
from benchmarks.runs import Cost, FailedRunError, python_here, run, typical

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.databases import FlightsDatabase
    from benchmarks.targets import Target
    from benchmarks.tools import Tool


@dataclass(slots=True, kw_only=True)
class Result:
    """What one tool's runs cost, or why there is no figure."""

    tool: Tool
    costs: list[Cost] = field(default_factory=list)
    problem: str | None = None

    @property
    def cost(self) -> Cost | None:
        return None if self.problem or not self.costs else typical(self.costs)


def play(
    tools: Sequence[Tool],
    target: Target,
    database: FlightsDatabase,
    *,
    rounds: int,
    tell: Callable[[str], None],
) -> list[Result]:
    """A tool that fails once, or loses a row, gets no figure and no other turn."""
    results = [Result(tool=tool) for tool in tools if target.keeps_rows or not tool.needs_emulator]
    for number in range(1, rounds + 1):
        for result in results if number % 2 else reversed(results):
            if result.problem:
                continue
            tool = result.tool
            python = python_here() if tool.environment is None else python_of(tool.environment, tell)
            tell(f"Round {number} of {rounds}, {target.name}, {database.rows:,} rows: {tool.name}")
            try:
                result.costs.append(run(tool, python, target, database))
            except FailedRunError as error:
                result.problem = str(error)
                tell(f"{tool.name} gets no figure: {error}")
    return results
