"""The gathered values of a column → a validated Arrow array. The one BigQuery → Arrow type table."""

from __future__ import annotations

import os
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from exporter.annotations import Mode, Type
from exporter.refused_values import ValueRefusedError
from exporter.values import FIRST_INSTANT, LAST_INSTANT, convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.gather import Gathered
    from exporter.schema import Column

# Arrow's own choice of an allocator keeps some 30 MB more of what was used. Who has chosen one keeps it, see
# https://arrow.apache.org/docs/cpp/env_vars.html
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    pa.set_memory_pool(pa.system_memory_pool())

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


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """One of them all, at least one, of the same schema. Raises ArrowException: of another."""
    if len(batches) == 1:
        return batches[0]
    (whole,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return whole


def array_of(gathered: Gathered, *, absent: int) -> pa.Array:
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
        children = [array_of(child, absent=absent) for child in gathered.fields]
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
    require_range(column, array, values)
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
        return pa.array(values, pa.duration("us")).view(ARROW_TYPES[Type.TIMESTAMP])
    return pa.array(values, ARROW_TYPES[column.type])


def require_range(column: Column, array: pa.Array, values: list[Any]) -> None:
    """What Arrow holds and BigQuery, or this column, does not."""
    if column.type is Type.FLOAT and not column.allow_nan and pc.all(pc.is_finite(array)).as_py() is False:
        raise ValueRefusedError(column.name, "not finite.", "")
    if column.precision is not None:
        exact = pa.decimal128 if column.type is Type.NUMERIC else pa.decimal256
        array.cast(exact(column.precision, column.scale))
    if column.type is Type.TIME and {value.tzinfo for value in values if value is not None} - {None}:
        raise ValueRefusedError(column.name, "a time with a time zone.", "")
    if column.type is Type.TIMESTAMP and array.null_count < len(array):
        extremes = pc.min_max(array.view(pa.int64()))
        first, last = (bound // timedelta(microseconds=1) for bound in (FIRST_INSTANT, LAST_INSTANT))
        if extremes["min"].as_py() < first or extremes["max"].as_py() > last:
            raise ValueRefusedError(column.name, "outside the years 1 to 9999.", "")
