"""The floor of the row path: values_list → dataclass → columns → append, written by hand for this one table."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, starmap
from typing import TYPE_CHECKING

import django
import pyarrow as pa

from benchmarks.append_floor import append
from benchmarks.run_floor_arrow import SCHEMA
from benchmarks.stopwatch import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flights.extractors import Departure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = 4_096
REQUEST_BYTES = 3_000_000


def main() -> None:
    django.setup()
    from flights.extractors import Departure
    from flights.models import Flight

    fields = [field.name for field in Flight._meta.concrete_fields if field.name != "id"]
    with measured():
        values = Flight.objects.values_list(*fields).iterator(chunk_size=2_000)
        append(SCHEMA, _coalesced(_batches(starmap(Departure, values))))


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


def _coalesced(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.nbytes for one in waiting) >= REQUEST_BYTES:
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting = []
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


if __name__ == "__main__":
    main()
