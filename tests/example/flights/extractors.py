"""Flights → rows for BigQuery: every departure, and the traffic of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Sum

from exporter import BaseExtractor, ExtractorType, QuerySetExtractor, sq_field
from flights.models import Flight, HourlyTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet


@dataclass(slots=True)
class Departure:
    """One scheduled departure from New York. Delays are negative where a flight was early."""

    timestamp: datetime = sq_field(description="When the flight was scheduled to depart.")
    carrier: str = sq_field(description="IATA code of the airline.")
    flight: int = sq_field(description="Flight number, without the carrier.")
    tail_number: str | None = sq_field(description="Registration of the aircraft, where one is known.")
    origin: str = sq_field(description="IATA code of the airport of departure.")
    destination: str = sq_field(description="IATA code of the airport of arrival.")
    distance_miles: int = sq_field(description="Between the two airports.")
    departure_delay_minutes: int | None = sq_field(description="Unknown for a cancelled flight.")
    arrival_delay_minutes: int | None = sq_field(description="Unknown also for a flight that was diverted.")
    air_time_minutes: int | None = sq_field(description="As arrival_delay_minutes.")
    cancelled: bool = sq_field(description="The flight never departed.")


class DepartureExtractor(QuerySetExtractor[Departure]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_clustering_fields(self) -> tuple[str, ...]:
        return ("carrier", "origin")

    def get_queryset(self, date_start: datetime, date_end: datetime) -> QuerySet[Flight, Any]:
        flights = Flight.objects.filter(scheduled_at__gte=date_start, scheduled_at__lt=date_end)
        return flights.order_by("scheduled_at", "pk").values(
            "carrier",
            "tail_number",
            "origin",
            "destination",
            "distance_miles",
            "departure_delay_minutes",
            "arrival_delay_minutes",
            "air_time_minutes",
            "cancelled",
            timestamp=F("scheduled_at"),
            flight=F("number"),
        )


@dataclass(slots=True)
class Traffic:
    """Traffic from New York: running totals, and what the day itself was like."""

    departures: int = sq_field(differentiate=True, description="Departures ever scheduled, cancelled ones included.")
    cancellations: int = sq_field(differentiate=True, description="Departures ever cancelled.")
    delay_minutes: int = sq_field(
        differentiate=True, description="Minutes ever departed late; early ones are not set off."
    )
    distance_miles: int = sq_field(differentiate=True, description="Miles ever flown.")
    destinations: int = sq_field(description="Airports that the day's flights departed for.")
    busiest_carrier: str | None = sq_field(description="Most flights departed that day; the first by name of equals.")


class TrafficExtractor(BaseExtractor[Traffic]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Traffic]:
        totals = HourlyTraffic.objects.filter(hour__lt=date_end).aggregate(
            departures=Sum("departures", default=0),
            cancellations=Sum("cancellations", default=0),
            delay_minutes=Sum("delay_minutes", default=0),
            distance_miles=Sum("distance_miles", default=0),
        )
        flown = Flight.objects.filter(scheduled_at__gte=date_start, scheduled_at__lt=date_end, cancelled=False)
        carriers = flown.values("carrier").annotate(flights=Count("pk")).order_by("-flights", "carrier")
        yield Traffic(
            **totals,
            destinations=flown.aggregate(n=Count("destination", distinct=True))["n"],
            busiest_carrier=carriers.values_list("carrier", flat=True).first(),
        )
