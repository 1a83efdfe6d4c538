"""The year of the flights → its days: the instants between which each lies, as both floors ask for it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZONE = ZoneInfo("America/New_York")
_FIRST = date(2025, 1, 1)


def days() -> Iterator[tuple[datetime, datetime]]:
    """In UTC: start inclusive, end exclusive. To the last that has flights, as the environment says."""
    last = date.fromisoformat(os.environ["BENCHMARK_LAST_DAY"])
    midnights = [
        datetime.combine(_FIRST + timedelta(days=number), time(), _ZONE).astimezone(UTC)
        for number in range((last - _FIRST).days + 2)
    ]
    return pairwise(midnights)
