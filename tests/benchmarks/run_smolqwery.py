"""smolqwery 0.1.3 with the flights, in its own environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Optional

import django
from google.auth.credentials import AnonymousCredentials
from smolqwery import BaseExtractor, ExtractionManager, ExtractorType
from smolqwery.bigqwery import BigQwery
from smolqwery.config import default_settings

from benchmarks.stopwatch import measured

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Departure:
    timestamp: datetime
    carrier: str
    flight: int
    tail_number: Optional[str]  # noqa: UP045 smolqwery knows no other spelling
    origin: str
    destination: str
    distance_miles: int
    departure_delay_minutes: Optional[int]  # noqa: UP045
    arrival_delay_minutes: Optional[int]  # noqa: UP045
    air_time_minutes: Optional[int]  # noqa: UP045
    cancelled: bool


class DepartureExtractor(BaseExtractor[Departure]):
    def get_dataclass(self) -> type[Departure]:
        return Departure

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Departure]:
        from flights.models import Flight

        # Model instances, as its README does.
        for flight in Flight.objects.filter(scheduled_at__gte=date_start, scheduled_at__lt=date_end).iterator():
            yield Departure(
                timestamp=flight.scheduled_at,
                carrier=flight.carrier,
                flight=flight.number,
                tail_number=flight.tail_number,
                origin=flight.origin,
                destination=flight.destination,
                distance_miles=flight.distance_miles,
                departure_delay_minutes=flight.departure_delay_minutes,
                arrival_delay_minutes=flight.arrival_delay_minutes,
                air_time_minutes=flight.air_time_minutes,
                cancelled=flight.cancelled,
            )


def main() -> None:
    django.setup()
    from django.utils.timezone import make_aware

    def no_credentials(_self: Any) -> AnonymousCredentials:
        return AnonymousCredentials()

    BigQwery.get_credentials = no_credentials  # it knows service accounts only
    day_after = date.fromisoformat(os.environ["BENCHMARK_LAST_DAY"]) + timedelta(days=1)
    now = make_aware(datetime(day_after.year, day_after.month, day_after.day, 12))  # noqa: DTZ001 made aware here
    with measured():
        for _ in ExtractionManager(default_settings).extract_new(now):
            pass


if __name__ == "__main__":
    main()
