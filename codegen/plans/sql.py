"""A view's SQL before and after → a short difference."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = 24
_CHARACTERS = 160


def short_diff(old: str, new: str) -> Iterator[str]:
    """Lines that differ, with one of those around them; the rest is counted."""
    _, _, *compared = (
        difflib.unified_diff(old.split("\n"), new.split("\n"), n=1, lineterm="") if old != new else ("", "")
    )
    lines = [line for line in compared if not line.startswith("@@")]
    yield from (line if len(line) <= _CHARACTERS else f"{line[:_CHARACTERS]}…" for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"… {len(lines) - _LINES:,} more lines"
