"""The floor of the QuerySet path: ADBC → Arrow → append, written by hand for this one table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.append_floor import append
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


def main() -> None:
    database = os.environ["FLIGHTS_DATABASE"]
    with measured():
        append(SCHEMA, _from_postgresql(database) if "://" in database else _from_sqlite(database))


def _from_sqlite(path: str) -> Iterator[pa.RecordBatch]:
    with (
        adbc_driver_sqlite.dbapi.connect(f"file:{path}?mode=ro") as connection,
        connection.cursor(adbc_stmt_kwargs={"adbc.sqlite.query.batch_rows": str(ROWS)}) as cursor,
    ):
        cursor.execute(SQL)
        for batch in cursor.fetch_record_batch():
            yield _cast(batch)


def _from_postgresql(url: str) -> Iterator[pa.RecordBatch]:
    options = {"adbc.postgresql.batch_size_hint_bytes": "3000000"}
    with (
        adbc_driver_postgresql.dbapi.connect(url) as connection,
        connection.cursor(adbc_stmt_kwargs=options) as cursor,
    ):
        cursor.execute(SQL)
        for batch in cursor.fetch_record_batch():
            yield _cast(batch)


def _cast(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_column(array, field) for array, field in zip(batch.columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _column(array: pa.Array, field: pa.Field) -> pa.Array:
    if pa.types.is_timestamp(field.type) and pa.types.is_string(array.type):
        return pc.assume_timezone(array.cast(pa.timestamp("us")), "UTC")
    return array.cast(field.type)


if __name__ == "__main__":
    main()
