"""A day of a table whose partitions expire → whether BigQuery may have dropped its rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from exporter.annotations import Type
from exporter.days import first_instant

if TYPE_CHECKING:
    from exporter.run import Source


def may_have_expired(source: Source, day: date, now: datetime) -> bool:
    """Whether the first partition that holds rows of this day had reached its age `now`."""
    expiration = source.table.expiration
    if expiration is None:
        return False
    if source.date_column.type is Type.DATE:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    else:
        start = first_instant(day, source.zone).astimezone(UTC)
    return _partition_start(start, source.extractor.get_partitioning()) + expiration <= now


def _partition_start(instant: datetime, partitioning: str | None) -> datetime:
    """BigQuery counts a partition's age from its first instant, in UTC."""
    start = instant.replace(minute=0, second=0, microsecond=0)
    if partitioning != "HOUR":
        start = start.replace(hour=0)
    if partitioning in {"MONTH", "YEAR"}:
        start = start.replace(day=1)
    if partitioning == "YEAR":
        start = start.replace(month=1)
    return start
