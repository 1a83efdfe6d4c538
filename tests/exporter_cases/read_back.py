"""Rows → what BigQuery would hold of them, or the message that refuses them. Needs no BigQuery."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from exporter.annotations import Mode, Type
from exporter.batches import Batches
from exporter.days import Window, window
from exporter.errors import ExtractionError
from exporter.schema import Column, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable

EXTRACTOR = "shop.extractors.RowExtractor"
DAY = window(date(2025, 1, 15), ZoneInfo("America/New_York"))


def aggregated(row_class: type) -> Batches:
    """One row a day; `date` is added."""
    added = Column(name="date", type=Type.DATE, mode=Mode.REQUIRED, python_type=None)
    columns = (added, *columns_of(row_class))
    return Batches(extractor=EXTRACTOR, row_class=row_class, columns=columns, date_field="date", aggregated=True)


def individual(row_class: type, date_field: str = "timestamp") -> Batches:
    """Any number of rows a day."""
    columns = columns_of(row_class)
    return Batches(extractor=EXTRACTOR, row_class=row_class, columns=columns, date_field=date_field, aggregated=False)


def read_back(batches: Batches, rows: Iterable[object], day: Window = DAY) -> list[dict[str, Any]]:
    """By column, as Arrow reads it."""
    found: list[dict[str, Any]] = []
    for batch in batches.of_day(iter(rows), day):
        batch.validate(full=True)
        found += batch.to_pylist()
    return found


def refused(batches: Batches, rows: Iterable[object], day: Window = DAY) -> str:
    """The message, without the extractor and the day, which begin it."""
    with pytest.raises(ExtractionError) as refusal:
        read_back(batches, rows, day)
    message, begin = str(refusal.value), f"{EXTRACTOR}, {day.day}"
    assert message.startswith(begin)
    return message.removeprefix(begin).removeprefix(", ")
