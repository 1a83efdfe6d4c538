"""Flights → numbers that differ when rows are lost, doubled or changed: of what is to arrive, and of what has."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flights.csv_file import NEW_YORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flights.csv_file import CsvFlight

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000  # microseconds; the sum of whole instants would not fit into 64 bits


def digest_sql(table: str, *, model_names: bool) -> str:
    """Gives one row of them."""
    at, number = ("scheduled_at", "number") if model_names else ("timestamp", "flight")
    return (
        f"SELECT COUNT(*), SUM(MOD(UNIX_MICROS(`{at}`), {_DAY})), UNIX_MICROS(MIN(`{at}`)), UNIX_MICROS(MAX(`{at}`)), "
        f"SUM(`{number}`), SUM(`distance_miles`), SUM(`departure_delay_minutes`), SUM(`arrival_delay_minutes`), "
        "SUM(`air_time_minutes`), COUNT(`tail_number`), COUNT(DISTINCT `tail_number`), COUNT(DISTINCT `carrier`), "
        f"COUNT(DISTINCT CONCAT(`origin`, `destination`)), COUNTIF(`cancelled`) FROM `{table}`"
    )


class Digest:
    """Of the flights that pass, in Python: whatever a database or an export will make of them."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()
        self._least = self._most = 0
        self._last = datetime.min.replace(tzinfo=UTC)
        self._kinds: tuple[set[object], ...] = (set(), set(), set())

    @property
    def last_day(self) -> str:
        return str(self._last.astimezone(NEW_YORK).date())

    def of(self, flights: Iterable[CsvFlight]) -> Iterator[CsvFlight]:
        sums, (tails, carriers, routes) = self._sums, self._kinds
        for flight in flights:
            instant = (flight.scheduled_at - _EPOCH) // timedelta(microseconds=1)
            self._least = min(self._least or instant, instant)
            self._most = max(self._most, instant)
            self._last = max(self._last, flight.scheduled_at.astimezone(UTC))
            sums["rows"] += 1
            sums["times"] += instant % _DAY
            sums["number"] += flight.number
            sums["distance"] += flight.distance_miles
            sums["departure"] += flight.departure_delay_minutes or 0
            sums["arrival"] += flight.arrival_delay_minutes or 0
            sums["air"] += flight.air_time_minutes or 0
            sums["tails"] += flight.tail_number is not None
            sums["cancelled"] += flight.cancelled
            tails.add(flight.tail_number)
            carriers.add(flight.carrier)
            routes.add(flight.origin + flight.destination)
            yield flight

    def numbers(self) -> list[int]:
        """In the order of `digest_sql`."""
        sums, (tails, carriers, routes) = self._sums, self._kinds
        named = [sums[name] for name in ("number", "distance", "departure", "arrival", "air", "tails")]
        return [
            *(sums["rows"], sums["times"], self._least, self._most, *named),
            *(len(tails - {None}), len(carriers), len(routes), sums["cancelled"]),
        ]
