"""What the example's database holds: flights, and their figures by the hour."""

from __future__ import annotations

from django.db import models


class Flight(models.Model):
    """A scheduled departure from New York. Delays are negative where a flight was early."""

    scheduled_at = models.DateTimeField(db_index=True)
    carrier = models.CharField(max_length=2)
    number = models.PositiveSmallIntegerField()
    tail_number = models.CharField(max_length=6, null=True)  # noqa: DJ001 - unknown is not the empty string
    origin = models.CharField(max_length=3)
    destination = models.CharField(max_length=3)
    distance_miles = models.PositiveSmallIntegerField()
    departure_delay_minutes = models.SmallIntegerField(null=True)
    arrival_delay_minutes = models.SmallIntegerField(null=True)
    air_time_minutes = models.PositiveSmallIntegerField(null=True)
    cancelled = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.carrier} {self.number} {self.origin}-{self.destination} {self.scheduled_at:%Y-%m-%d %H:%M}"


class HourlyTraffic(models.Model):
    """The flights of one hour, counted once: a running total need not read every flight again each day."""

    hour = models.DateTimeField(unique=True)
    departures = models.PositiveIntegerField(default=0)
    cancellations = models.PositiveIntegerField(default=0)
    delay_minutes = models.PositiveIntegerField(default=0)
    distance_miles = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00, {self.departures} departures"
