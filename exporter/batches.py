"""Rows → validated Arrow record batches → AppendRows payloads. The one BigQuery → Arrow type table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from exporter.errors import ExporterError, ExtractionError, RowError
from exporter.gather import Chunk, Gathered, Gatherer
from exporter.schema import Column, Mode, Type
from exporter.values import EPOCH, FIRST_INSTANT, LAST_INSTANT, ValueRefusedError, check_row, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.days import Window

Batch: TypeAlias = pa.RecordBatch

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.BOOLEAN: pa.bool_(),
    Type.INTEGER: pa.int64(),
    Type.FLOAT: pa.float64(),
    Type.NUMERIC: pa.decimal128(38, 9),
    Type.BIGNUMERIC: pa.decimal256(76, 38),
    Type.STRING: pa.string(),
    Type.BYTES: pa.binary(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us", "UTC"),
    Type.TIME: pa.time64("us"),
    Type.JSON: pa.string(),
}
"""https://cloud.google.com/bigquery/docs/supported-data-types#supported_arrow_data_types"""

TARGET_BYTES = 4_000_000
MAX_BYTES = 7_000_000
"""Of one AppendRows request: BigQuery refuses 10 MB, schema and framing included."""

_CHUNK_BYTES = 1_000_000
_FIRST_CHUNK_ROWS = 32  # until the width of a row is known
_MAX_CHUNK_ROWS = 4_096

# What the gathered values of a column are when nothing has to be looked at one by one.
_EXACT_TYPES: dict[Type, type] = {
    Type.BOOLEAN: bool,
    Type.INTEGER: int,
    Type.FLOAT: float,
    Type.NUMERIC: Decimal,
    Type.BIGNUMERIC: Decimal,
    Type.BYTES: bytes,
    Type.DATE: date,
    Type.TIMESTAMP: timedelta,
    Type.TIME: time,
    Type.JSON: str,
}


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column, its mode included."""
    if column.type is Type.RECORD:
        one: pa.DataType = pa.struct([arrow_field(field) for field in column.fields])
    else:
        one = ARROW_TYPES[column.type]
    return pa.list_(pa.field("item", one, nullable=False)) if column.mode is Mode.REPEATED else one


def arrow_field(column: Column) -> pa.Field:
    return pa.field(column.name, arrow_type(column), nullable=column.mode is Mode.NULLABLE)


class Batches:
    """Turns the rows of one table into record batches, day by day."""

    def __init__(
        self, *, extractor: str, row_class: type, columns: tuple[Column, ...], date_field: str, aggregated: bool
    ) -> None:
        self._extractor = extractor
        self._row_columns = columns[1:] if aggregated else columns
        self._gatherer = Gatherer(row_class, self._row_columns)
        self._row_class = row_class
        self._aggregated = aggregated
        self._date_column = next(column for column in columns if column.name == date_field)
        self.schema = pa.schema([arrow_field(column) for column in columns])

    def schema_bytes(self) -> bytes:
        """As the first request of a connection carries it."""
        return bytes(self.schema.serialize())

    def of_day(self, rows: Iterator[object], window: Window) -> Iterator[Batch]:
        """Batches of about a megabyte.

        Raises RowError for the first row that BigQuery would refuse or that lies outside the window, ExtractionError
        for an aggregated day without exactly one row, and what `rows` raises.
        """
        done, limit = 0, _FIRST_CHUNK_ROWS
        while True:
            chunk = self._gatherer.chunk()
            try:
                self._gatherer.take(rows, limit, chunk)
                if self._aggregated:
                    self._require_one_row(done + len(chunk.rows), window, at_end=len(chunk.rows) < limit)
                batch = self._batch(chunk, window) if chunk.rows else None
            except ExporterError:
                raise
            except Exception as error:
                raise self._located(chunk, done, window, error) from error
            if batch is None:
                return
            self._require_rows_fit(batch, done, window)
            yield batch
            done += batch.num_rows
            if batch.num_rows < limit:
                return
            limit = max(1, min(_MAX_CHUNK_ROWS, _CHUNK_BYTES * batch.num_rows // max(1, batch.nbytes)))

    def _batch(self, chunk: Chunk, window: Window) -> Batch:
        arrays = [_array(gathered, absent=0) for gathered in chunk.columns]
        if self._aggregated:
            arrays.insert(0, pa.array([window.day] * len(chunk.rows), pa.date32()))
        else:
            position = self.schema.get_field_index(self._date_column.name)
            self._require_inside(arrays[position], window)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _require_inside(self, values: pa.Array, window: Window) -> None:
        extremes = pc.min_max(values)
        for extreme in (extremes["min"], extremes["max"]):
            self._require_in_window(extreme.as_py(), window)

    def _require_in_window(self, value: date | datetime, window: Window) -> None:
        if isinstance(value, datetime):
            # In UTC: datetimes that share a zone are compared by their wall clocks.
            instant = value.astimezone(UTC)
            inside = window.start.astimezone(UTC) <= instant < window.end.astimezone(UTC)
            expected = f"{window.start} to {window.end}"
        else:
            inside, expected = value == window.day, f"{window.day}"
        if not inside:
            raise ValueRefusedError(
                self._date_column.name,
                f"{value} is outside the window of its day, {expected}.",
                "Yield only rows with date_start <= value < date_end.",
            )

    def _require_one_row(self, rows: int, window: Window, *, at_end: bool) -> None:
        if rows > 1 or (rows == 0 and at_end):
            found = "no row" if rows == 0 else "more than one row"
            raise ExtractionError(
                location=f"{self._extractor}, {window.day}",
                problem=f"{found} for a day that is aggregated.",
                remedy="Yield exactly one row a day, or use ExtractorType.individual_rows.",
            )

    def _require_rows_fit(self, batch: Batch, done: int, window: Window) -> None:
        if batch.nbytes <= MAX_BYTES:
            return
        for position in range(batch.num_rows):
            size = len(_serialized(batch.slice(position, 1)))
            if size > MAX_BYTES:
                raise RowError(
                    extractor=self._extractor,
                    day=window.day,
                    row=done + position + 1,
                    column=None,
                    problem=f"{size:,} bytes, and a request to BigQuery carries at most {MAX_BYTES:,}.",
                    remedy="Keep large values elsewhere, e.g. in Cloud Storage, and export where they are.",
                )

    def _located(self, chunk: Chunk, done: int, window: Window, error: Exception) -> Exception:
        """The error with the row and the column that caused it."""
        last_states = {id(row): number for number, row in enumerate(chunk.rows, done + 1)}
        for number, row in enumerate(chunk.rows, done + 1):
            if last_states[id(row)] != number:
                continue  # changed and yielded again since: what it was is not known
            refuse = partial(RowError, extractor=self._extractor, day=window.day, row=number)
            if not isinstance(row, self._row_class):
                return refuse(
                    column=None,
                    problem=f"a {type(row).__name__} instead of a {self._row_class.__name__}.",
                    remedy=f"Yield instances of {self._row_class.__module__}.{self._row_class.__qualname__}.",
                )
            try:
                check_row(self._row_columns, row)
                if not self._aggregated:
                    self._require_in_window(getattr(row, self._date_column.name), window)
            except ValueRefusedError as refused:
                return refuse(column=refused.path, problem=refused.problem, remedy=refused.remedy)
            except AttributeError as missing:
                return refuse(column=None, problem=f"{missing}.", remedy="Set every field of the dataclass.")
            except Exception as raised:  # noqa: BLE001 - of a property; the cause is kept
                problem = f"reading it raised {type(raised).__name__}: {raised}."
                return refuse(column=None, problem=problem, remedy="Let the fields of a row be plain values.")
        return self._of_some_row(chunk, done, window, error)

    def _of_some_row(self, chunk: Chunk, done: int, window: Window, error: Exception) -> ExtractionError:
        column = f", column {error.path}" if isinstance(error, ValueRefusedError) else ""
        return ExtractionError(
            location=f"{self._extractor}, {window.day}, rows {done + 1} to {done + len(chunk.rows)}{column}",
            problem=error.problem if isinstance(error, ValueRefusedError) else f"{type(error).__name__}: {error}.",
            remedy="Yield a new object for each row: then the message can name the row.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One AppendRows request: a serialized record batch."""

    rows: int
    data: bytes


class Payloads:
    """Gathers batches up to about 4 MB, so that small days share a request."""

    def __init__(self) -> None:
        self._waiting: list[Batch] = []
        self._bytes = 0

    def add(self, batch: Batch) -> Iterator[Payload]:
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= TARGET_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[Payload]:
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if waiting:
            for batch in pa.Table.from_batches(waiting).combine_chunks().to_batches():
                yield from _payloads(batch)


def _payloads(batch: Batch) -> Iterator[Payload]:
    data = _serialized(batch)
    if len(data) > MAX_BYTES and batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from _payloads(batch.slice(0, half))
        yield from _payloads(batch.slice(half))
    else:
        yield Payload(rows=batch.num_rows, data=data)


def _serialized(batch: Batch) -> bytes:
    return bytes(batch.serialize())


def _array(gathered: Gathered, *, absent: int) -> pa.Array:
    """`absent`: how many of the values stand for a RECORD that is NULL itself."""
    column = gathered.column
    if column.mode is Mode.REPEATED:
        offsets = pa.array([0, *accumulate(gathered.lengths)], pa.int32())
        return pa.ListArray.from_arrays(offsets, _elements(gathered, absent=0), type=arrow_type(column))
    array = _elements(gathered, absent=absent)
    if column.mode is Mode.REQUIRED and array.null_count > absent:
        raise ValueRefusedError(column.name, "None in a REQUIRED column.", "")
    return array


def _elements(gathered: Gathered, *, absent: int) -> pa.Array:
    column = gathered.column
    if column.type is Type.RECORD:
        mask = None
        if column.mode is Mode.NULLABLE:
            mask = pa.array([not present for present in gathered.present], pa.bool_())
            absent = gathered.present.count(False)
        children = [_array(child, absent=absent) for child in gathered.fields]
        return pa.StructArray.from_arrays(children, fields=[arrow_field(field) for field in column.fields], mask=mask)
    array = _scalars(column, gathered.values)
    if column.mode is Mode.REPEATED and array.null_count:
        raise ValueRefusedError(column.name, "None in a list.", "")
    return array


def _scalars(column: Column, values: list[Any]) -> pa.Array:
    if column.type is Type.STRING:
        values = _strings(column, values)
    elif not set(map(type, values)) <= {_EXACT_TYPES[column.type], type(None)}:
        values = [None if value is None else _converted(column, value) for value in values]
    try:
        array = _arrow(column, values)
    except (pa.ArrowException, ValueError, OverflowError):
        # Arrow is stricter than BigQuery about Decimals such as 1E+3: look at each value, once.
        array = _arrow(column, [None if value is None else _converted(column, value) for value in values])
    _require_range(column, array, values)
    return array


def _strings(column: Column, values: list[Any]) -> list[Any]:
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {column.python_type}:
        if column.python_type is UUID:
            return [None if value is None else str(value) for value in values]
        if issubclass(column.python_type, Enum):
            return [None if value is None else str.__str__(value.value) for value in values]
        if not column.choices or set(values) - {None} <= set(column.choices):
            return values
    return [None if value is None else convert(column, value) for value in values]


def _converted(column: Column, value: Any) -> Any:
    if column.type is Type.TIMESTAMP:  # gathered already
        return timedelta(value.days, value.seconds, value.microseconds)
    return value if column.type is Type.JSON else convert(column, value)


def _arrow(column: Column, values: list[Any]) -> pa.Array:
    if column.type is Type.TIMESTAMP:
        return pa.array(values, pa.duration("us")).cast(pa.int64()).cast(ARROW_TYPES[Type.TIMESTAMP])
    return pa.array(values, ARROW_TYPES[column.type])


def _require_range(column: Column, array: pa.Array, values: list[Any]) -> None:
    """What Arrow holds and BigQuery, or this column, does not."""
    if column.type is Type.FLOAT and not column.allow_nan and pc.all(pc.is_finite(array)).as_py() is False:
        raise ValueRefusedError(column.name, "not finite.", "")
    if column.precision is not None:
        exact = pa.decimal128 if column.type is Type.NUMERIC else pa.decimal256
        array.cast(exact(column.precision, column.scale))
    if column.type is Type.TIME and {value.tzinfo for value in values if value is not None} - {None}:
        raise ValueRefusedError(column.name, "a time with a time zone.", "")
    if column.type is Type.TIMESTAMP and array.null_count < len(array):
        extremes = pc.min_max(array.cast(pa.int64()))
        first, last = (bound // timedelta(microseconds=1) for bound in (FIRST_INSTANT, LAST_INSTANT))
        if extremes["min"].as_py() < first or extremes["max"].as_py() > last:
            raise ValueRefusedError(column.name, "outside the years 1 to 9999.", "")


assert EPOCH.tzinfo is UTC  # noqa: S101 - _arrow counts from it
