"""The flights, by each of our two ways from the database to Arrow."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

from django.db.models import F

from exporter import BaseExtractor, ExtractorType, QuerySetExtractor
from flights.extractors import Departure
from flights.models import Flight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

NAMES = (
    "timestamp",
    "carrier",
    "flight",
    "tail_number",
    "origin",
    "destination",
    "distance_miles",
    "departure_delay_minutes",
    "arrival_delay_minutes",
    "air_time_minutes",
    "cancelled",
)


class ByQuerySet(QuerySetExtractor[Departure]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_queryset(self, date_start: datetime, date_end: datetime) -> QuerySet[Flight, Any]:
        return _flights(date_start, date_end)


class ByRows(BaseExtractor[Departure]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Departure]:
        return starmap(Departure, _flights(date_start, date_end).iterator(chunk_size=2_000))


def _flights(date_start: datetime, date_end: datetime) -> QuerySet[Flight, Any]:
    # In no order: what the floors read has none either.
    flights = Flight.objects.filter(scheduled_at__gte=date_start, scheduled_at__lt=date_end)
    selected: QuerySet[Flight, Any] = flights.annotate(timestamp=F("scheduled_at"), flight=F("number")).values_list(
        *NAMES
    )
    return selected
