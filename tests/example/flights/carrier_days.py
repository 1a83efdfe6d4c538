"""Flights → one row for each carrier and day, with types beyond numbers and names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from itertools import groupby, starmap
from operator import attrgetter
from statistics import fmean
from typing import TYPE_CHECKING, Literal, NamedTuple, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils.timezone import get_default_timezone

from exporter import BaseExtractor, ExtractorType, sq_field
from flights.models import Flight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATE_MINUTES = 15
DISRUPTED_SHARE = Decimal("0.05")

Airport = Literal["EWR", "JFK", "LGA"]


class Status(StrEnum):
    NORMAL = "normal"
    DISRUPTED = "disrupted"
    GROUNDED = "grounded"


class Punctuality(StrEnum):
    EARLY = "early"
    ON_TIME = "on time"
    LATE = "late"


@dataclass(slots=True)
class Origin:
    airport: Airport = sq_field(description="IATA code of the airport of departure.")
    departures: int = sq_field(description="Scheduled departures, cancelled ones included.")
    cancellations: int = sq_field(description="Those that were cancelled.")
    longest_delay_minutes: int | None = sq_field(description="Of those that departed.")


@dataclass(slots=True)
class Delays:
    mean_minutes: float = sq_field(description="Early departures count as negative.")
    longest_minutes: int = sq_field(description="Negative when all departed early.")
    late_flights: list[int] = sq_field(description="Numbers of those 15 minutes late or later, as scheduled.")


@dataclass(slots=True)
class CarrierDay:
    """A carrier's departures from New York on one day. What only a departure tells is NULL where none was."""

    id: UUID = sq_field(description="The same whenever the carrier's day is exported.")
    flown_on: date = sq_field(description="Local day.")
    carrier: str = sq_field(description="IATA code of the airline.")
    status: Status = sq_field(description="Disrupted: one in twenty cancelled. Grounded: all.")
    cancelled_share: Decimal = sq_field(precision=5, scale=4, description="Of the scheduled departures.")
    first_scheduled: time = sq_field(description="Local time of the first scheduled departure.")
    destinations: list[str] = sq_field(description="Scheduled ones, in alphabetical order.")
    origins: list[Origin] = sq_field(description="Those with scheduled departures, in alphabetical order.")
    hourly: dict[str, int] = sq_field(description="Scheduled departures by local hour.")
    fingerprint: bytes = sq_field(description="SHA-256 of the scheduled flights' numbers.")
    punctuality: Punctuality | None = sq_field(description="Late: 15 minutes or more, in the mean.")
    on_time_share: Decimal | None = sq_field(precision=5, scale=4, description="Departed less than 15 minutes late.")
    first_departure: time | None = sq_field(description="Local time scheduled for the first that departed.")
    first_origin: Airport | None = sq_field(description="Where the first that departed was.")
    delays: Delays | None = sq_field(description="Of those that departed.")
    hourly_departed: dict[str, int] | None = sq_field(description="As hourly, without the cancelled ones.")
    fingerprint_departed: bytes | None = sq_field(description="As fingerprint, without the cancelled ones.")


class CarrierDayExtractor(BaseExtractor[CarrierDay]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_date_field(self) -> str:
        return "flown_on"

    def get_clustering_fields(self) -> tuple[str, ...]:
        return ("carrier",)

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[CarrierDay]:
        flights = Flight.objects.filter(scheduled_at__gte=date_start, scheduled_at__lt=date_end)
        rows = flights.order_by("carrier", "scheduled_at", "pk").values_list(
            "carrier", "scheduled_at", "number", "origin", "destination", "departure_delay_minutes", "cancelled"
        )
        legs = starmap(Leg, rows.iterator(chunk_size=2_000))
        for carrier, group in groupby(legs, key=attrgetter("carrier")):
            yield _carrier_day(date_start.date(), carrier, list(group))


class Leg(NamedTuple):
    """What a carrier's day needs to know of a flight."""

    carrier: str
    scheduled_at: datetime
    number: int
    origin: str
    destination: str
    delay_minutes: int | None
    cancelled: bool

    @property
    def local_time(self) -> time:
        return self.scheduled_at.astimezone(get_default_timezone()).time()


def _carrier_day(day: date, carrier: str, legs: list[Leg]) -> CarrierDay:
    departed = [leg for leg in legs if not leg.cancelled]
    delays = _delays(departed)
    cancelled_share = _share(len(legs) - len(departed), len(legs))
    return CarrierDay(
        id=uuid5(NAMESPACE_URL, f"https://example.com/carriers/{carrier}/{day}"),
        flown_on=day,
        carrier=carrier,
        status=_status(cancelled_share),
        cancelled_share=cancelled_share,
        first_scheduled=legs[0].local_time,
        destinations=sorted({leg.destination for leg in legs}),
        origins=_origins(legs),
        hourly=_hourly(legs),
        fingerprint=_fingerprint(legs),
        punctuality=_punctuality(delays) if delays else None,
        on_time_share=_share(len(departed) - len(delays.late_flights), len(departed)) if delays else None,
        first_departure=departed[0].local_time if departed else None,
        first_origin=cast("Airport", departed[0].origin) if departed else None,
        delays=delays,
        hourly_departed=_hourly(departed) or None,
        fingerprint_departed=_fingerprint(departed) if departed else None,
    )


def _origins(legs: Iterable[Leg]) -> list[Origin]:
    by_origin = attrgetter("origin")
    origins = ((airport, list(group)) for airport, group in groupby(sorted(legs, key=by_origin), key=by_origin))
    return [
        Origin(
            airport=airport,
            departures=len(group),
            cancellations=sum(leg.cancelled for leg in group),
            longest_delay_minutes=max(_delay_minutes(group), default=None),
        )
        for airport, group in origins
    ]


def _delays(departed: list[Leg]) -> Delays | None:
    if not departed:
        return None
    minutes = _delay_minutes(departed)
    late = [leg.number for leg, delay in zip(departed, minutes, strict=True) if delay >= LATE_MINUTES]
    return Delays(mean_minutes=fmean(minutes), longest_minutes=max(minutes), late_flights=late)


def _delay_minutes(legs: Iterable[Leg]) -> list[int]:
    return [leg.delay_minutes for leg in legs if leg.delay_minutes is not None]


def _status(cancelled_share: Decimal) -> Status:
    if cancelled_share == 1:
        return Status.GROUNDED
    return Status.DISRUPTED if cancelled_share >= DISRUPTED_SHARE else Status.NORMAL


def _punctuality(delays: Delays) -> Punctuality:
    if delays.mean_minutes >= LATE_MINUTES:
        return Punctuality.LATE
    return Punctuality.EARLY if delays.mean_minutes < 0 else Punctuality.ON_TIME


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(Decimal("0.0001"))


def _hourly(legs: Iterable[Leg]) -> dict[str, int]:
    return dict(Counter(f"{leg.local_time.hour:02}" for leg in legs))


def _fingerprint(legs: Iterable[Leg]) -> bytes:
    return sha256(" ".join(str(leg.number) for leg in legs).encode()).digest()
