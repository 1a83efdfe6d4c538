"""Compared files → what a person reads: a line for each file that differs, with the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.files import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from codegen.files import File

_DONE = {State.missing: "written", State.changed: "written", State.orphaned: "removed"}
_DIFF_LINES = 12


def run_report(directory: Path, files: Sequence[File]) -> str:
    """After a run: what was done to each file, and how many were as they should be."""
    touched = [file for file in files if file.state is not State.unchanged]
    unchanged = len(files) - len(touched)
    counted = f"unchanged  {unchanged} file{'s' * (unchanged != 1)} in {directory}\n" if unchanged else ""
    return "".join(_line(_DONE[file.state], directory / file.path) for file in touched) + counted


def drift_report(directory: Path, files: Sequence[File]) -> str:
    """Instead of a run: what it would change, and how. Empty: nothing."""
    return "".join(
        _line(file.state, directory / file.path) + "".join(_diff(file))
        for file in files
        if file.state is not State.unchanged
    )


def _line(what: str, path: Path) -> str:
    return f"{what:<9}  {path}\n"


def _diff(file: File) -> Iterator[str]:
    if file.state is not State.changed:
        return
    lines = file.diff()
    yield from (f"    {line}\n" for line in lines[:_DIFF_LINES])
    if len(lines) > _DIFF_LINES:
        yield f"    … {len(lines) - _DIFF_LINES} more lines\n"
