"""Recorded runs → the places where the next ones are killed, interrupted and suspended.

`places/<scenario>.txt` has the last arrival at each step, as the hook writes it: "appended 11" stands for eleven
places. They are recorded, since a test's parameters are wanted before there is an emulator to ask.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _pytest.mark import ParameterSet

_DIRECTORY = Path(__file__).with_name("places")


def every(scenario: str) -> list[str]:
    """All places of a run."""
    return [f"{step} {number}" for step, times in _times(scenario) for number in range(1, times + 1)]


def one_of_each_step(scenario: str) -> list[str]:
    """For each step the middle one of its places."""
    return [f"{step} {(times + 1) // 2}" for step, times in _times(scenario)]


def quick_first(quick: Sequence[object], more: Iterable[object]) -> list[ParameterSet]:
    """Parameters: the quick ones for `make test`, and more for `make test-faults`."""
    long = [pytest.param(one, marks=pytest.mark.long) for one in more if one not in quick]
    return [*map(pytest.param, quick), *long]


def recorded(scenario: str) -> str:
    path = _DIRECTORY / f"{scenario}.txt"
    return path.read_text("utf-8") if path.exists() else ""


def record(scenario: str, text: str) -> None:
    (_DIRECTORY / f"{scenario}.txt").write_text(text, "utf-8")


def summary(steps: Iterable[str]) -> str:
    """What a run's hook wrote, as it is recorded: in the order of the first arrivals."""
    times = Counter(place.rsplit(" ", 1)[0] for place in steps)
    return "".join(f"{step} {number}\n" for step, number in times.items())


def _times(scenario: str) -> list[tuple[str, int]]:
    lines = (line.rsplit(" ", 1) for line in recorded(scenario).splitlines())
    return [(step, int(times)) for step, times in lines]
