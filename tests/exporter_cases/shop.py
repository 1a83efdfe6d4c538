"""Extractors of a small shop. Their rows are what a test puts on a shelf, day by day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Action: TypeAlias = "Callable[[], object]"
NEW_YORK = "America/New_York"  # the example project's TIME_ZONE


@dataclass(slots=True)
class Order:
    """One order."""

    timestamp: datetime
    number: int
    customer: str | None = None


@dataclass(slots=True)
class Total:
    """Orders ever."""

    orders: int = sq_field(differentiate=True)


@dataclass(slots=True)
class Daily:
    """Orders of a day."""

    orders: int


class Shelf:
    """What an extractor yields for each day, and the days that it was asked for."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._rows: dict[date, list[object]] = defaultdict(list)
        self.asked: list[str] = []

    def put(self, day: str, *rows: object) -> None:
        """An exception is raised where a row would be yielded; a callable is called."""
        self._rows[date.fromisoformat(day)] += rows

    def take(self, day: date) -> Iterator[object]:
        self.asked.append(str(day))
        for row in self._rows[day]:
            if isinstance(row, Exception):
                raise row
            if callable(row):
                row()
            else:
                yield row


orders, totals = Shelf(), Shelf()


def order(day: str, number: int, *, hour: int = 12, customer: str | None = None, zone: str = NEW_YORK) -> Order:
    local = datetime.combine(date.fromisoformat(day), time(hour), ZoneInfo(zone))
    return Order(timestamp=local, number=number, customer=customer)


def instant(day: str, hour: int = 12) -> datetime:
    """Of an order, as BigQuery tells it."""
    return order(day, 0, hour=hour).timestamp.astimezone(UTC)


class OrderExtractor(BaseExtractor[Order]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Order]:
        del date_end
        yield from orders.take(date_start.date())  # type: ignore[misc] # also what is no Order, to be refused


class TotalExtractor(BaseExtractor[Total]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Total]:
        del date_end
        yield from totals.take(date_start.date())  # type: ignore[misc] # as above


class DailyExtractor(BaseExtractor[Daily]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def get_date_field(self) -> str:
        return "sold_on"

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Daily]:
        del date_end
        yield from totals.take(date_start.date())  # type: ignore[misc] # as above
