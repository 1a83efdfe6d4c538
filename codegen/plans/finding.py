"""A sentence about what a plan does to a resource, and whether it should stop the plan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Stop(Enum):
    """Why a plan should not be applied before somebody has said that it is meant. In the order of a verdict."""

    dataset_lost = auto()
    table_lost = auto()
    column_lost = auto()
    rows_expire = auto()
    data_lost = auto()
    public = auto()
    unguarded = auto()
    refused = auto()
    unclear = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`text` is Markdown without a full stop: one line, and possibly a block of code below it."""

    text: str
    stop: Stop | None = None
    is_loud: bool = False
    """Said at the top too, and not cut: it loses nothing, but a reviewer should not overlook it."""
    is_expiration: bool = False
    """Loud, and BigQuery deletes rows by it: that is what somebody has set it for."""
    short: str = ""
    """For a report that would be too long otherwise."""

    @property
    def is_at_the_top(self) -> bool:
        return self.is_loud or self.stop is not None


def plain(text: str) -> Finding:
    return Finding(text=text)


def loud(text: str) -> Finding:
    return Finding(text=text, is_loud=True)


def expiration(text: str) -> Finding:
    return Finding(text=text, is_loud=True, is_expiration=True)


def stop(reason: Stop, text: str, short: str = "") -> Finding:
    return Finding(text=text, stop=reason, short=short)
