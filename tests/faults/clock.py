"""Readings → instants of BigQuery's own clock, which a test sets."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2025, 3, 1, 12, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)


class Clock:
    """Each reading is a millisecond after the one before: what is recorded is ordered, and the same in every run."""

    def __init__(self, start: datetime = START) -> None:
        self._lock = threading.Lock()
        self._now = start

    def now(self) -> datetime:
        with self._lock:
            self._now += _TICK
            return self._now

    def set(self, instant: datetime) -> None:
        with self._lock:
            self._now = instant

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        with self._lock:
            self._now += timedelta(hours=hours, minutes=minutes, seconds=seconds)
