"""The floor of the row path: values_list → dataclass → columns → append, written by hand for this one table.

With `--by-days` it asks for each day, and makes columns of each, as an export does.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import chain, islice, starmap
from typing import TYPE_CHECKING

import django
import pyarrow as pa

from benchmarks.append_floor import append, coalesced
from benchmarks.floor_days import days
from benchmarks.run_floor_arrow import SCHEMA
from benchmarks.stopwatch import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flights.extractors import Departure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = 4_096


def main() -> None:
    django.setup()
    from flights.extractors import Departure
    from flights.models import Flight

    fields = [field.name for field in Flight._meta.concrete_fields if field.name != "id"]
    with measured():
        flights = Flight.objects.values_list(*fields)
        querysets = [flights]
        if "--by-days" in sys.argv[1:]:
            querysets = [flights.filter(scheduled_at__gte=start, scheduled_at__lt=end) for start, end in days()]
        rows = (starmap(Departure, queryset.iterator(chunk_size=2_000)) for queryset in querysets)
        append(SCHEMA, coalesced(chain.from_iterable(map(_batches, rows))))


def _batches(rows: Iterator[Departure]) -> Iterator[pa.RecordBatch]:
    while True:
        timestamps, *columns = gathered = _gathered(rows)
        if not timestamps:
            return
        arrays = [pa.array(values, field.type) for values, field in zip(columns, list(SCHEMA)[1:], strict=True)]
        instants = pa.array(timestamps, pa.duration("us")).cast(pa.int64()).cast(SCHEMA[0].type)
        yield pa.RecordBatch.from_arrays([instants, *arrays], schema=SCHEMA)
        del gathered


def _gathered(rows: Iterator[Departure]) -> tuple[list[object], ...]:
    columns: tuple[list[object], ...] = tuple([] for _ in SCHEMA)
    a, b, c, d, e, f, g, h, i, j, k = [column.append for column in columns]
    for row in islice(rows, ROWS):
        a(row.timestamp - EPOCH)
        b(row.carrier)
        c(row.flight)
        d(row.tail_number)
        e(row.origin)
        f(row.destination)
        g(row.distance_miles)
        h(row.departure_delay_minutes)
        i(row.arrival_delay_minutes)
        j(row.air_time_minutes)
        k(row.cancelled)
    return columns


if __name__ == "__main__":
    main()
