"""The floor of the QuerySet path: ADBC → Arrow → append, written by hand for this one table.

With `--by-days` it asks for each day, as an export does; what it gets is cast when there is enough for a request.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.append_floor import append, coalesced
from benchmarks.floor_days import days
from benchmarks.stopwatch import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

SQL = (
    "SELECT scheduled_at, carrier, number, tail_number, origin, destination, distance_miles, "
    "departure_delay_minutes, arrival_delay_minutes, air_time_minutes, cancelled FROM flights_flight"
)
SCHEMA = pa.schema(
    [
        pa.field("timestamp", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("carrier", pa.string(), nullable=False),
        pa.field("flight", pa.int64(), nullable=False),
        pa.field("tail_number", pa.string()),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("destination", pa.string(), nullable=False),
        pa.field("distance_miles", pa.int64(), nullable=False),
        pa.field("departure_delay_minutes", pa.int64()),
        pa.field("arrival_delay_minutes", pa.int64()),
        pa.field("air_time_minutes", pa.int64()),
        pa.field("cancelled", pa.bool_(), nullable=False),
    ]
)
ROWS = 32_768  # about 3 MB
ROWS_OF_A_DAY = 8_192


def main() -> None:
    database, by_days = os.environ["FLIGHTS_DATABASE"], "--by-days" in sys.argv[1:]
    with measured():
        batches = (_from_postgresql if "://" in database else _from_sqlite)(database, by_days=by_days)
        append(SCHEMA, map(_cast, coalesced(batches) if by_days else batches))


def _from_sqlite(path: str, *, by_days: bool) -> Iterator[pa.RecordBatch]:
    rows = {"adbc.sqlite.query.batch_rows": str(ROWS_OF_A_DAY if by_days else ROWS)}
    with (
        adbc_driver_sqlite.dbapi.connect(f"file:{path}?mode=ro") as connection,
        connection.cursor(adbc_stmt_kwargs=rows) as cursor,
    ):
        yield from _batches(
            cursor, "scheduled_at >= ? AND scheduled_at < ?", "{:%Y-%m-%d %H:%M:%S}".format, by_days=by_days
        )


def _from_postgresql(url: str, *, by_days: bool) -> Iterator[pa.RecordBatch]:
    options = {"adbc.postgresql.batch_size_hint_bytes": "3000000"}
    with (
        adbc_driver_postgresql.dbapi.connect(url) as connection,
        connection.cursor(adbc_stmt_kwargs=options) as cursor,
    ):
        yield from _batches(
            cursor, "scheduled_at >= $1 AND scheduled_at < $2", lambda instant: instant, by_days=by_days
        )


def _batches(cursor: Any, condition: str, bound: Any, *, by_days: bool) -> Iterator[pa.RecordBatch]:
    if not by_days:
        cursor.execute(SQL)
        yield from cursor.fetch_record_batch()
        return
    for instants in days():
        cursor.execute(f"{SQL} WHERE {condition}", tuple(map(bound, instants)))
        yield from cursor.fetch_record_batch()


def _cast(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_column(array, field) for array, field in zip(batch.columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _column(array: pa.Array, field: pa.Field) -> pa.Array:
    if pa.types.is_timestamp(field.type) and pa.types.is_string(array.type):
        return pc.assume_timezone(array.cast(pa.timestamp("us")), "UTC")
    return array.cast(field.type)


if __name__ == "__main__":
    main()
