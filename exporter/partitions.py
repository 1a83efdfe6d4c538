"""A day → the partition that BigQuery takes its rows into, or why it takes none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from exporter.errors import DayError

if TYPE_CHECKING:
    from exporter.days import Window
    from exporter.run import Source

_PAST_YEARS = 10  # https://cloud.google.com/bigquery/docs/write-api#time-unit-column-partitioning


def require_partition(source: Source, day: Window) -> None:
    """Raise DayError: too long ago for a table that is partitioned."""
    if not source.table.partitioned:
        return
    today = datetime.now(UTC).date()
    if today.year - _PAST_YEARS > day.day.year or (
        today.year - _PAST_YEARS == day.day.year and (day.day.month, day.day.day) <= (today.month, today.day)
    ):
        raise DayError(
            location=f"{source.name}, {day.day}",
            problem=f"more than {_PAST_YEARS} years ago: BigQuery takes no streamed rows into partitions that old.",
            remedy="Set SMOLQWERY_FIRST_DATE to a later day, or return None from get_partitioning() before the "
            "table is made.",
        )
