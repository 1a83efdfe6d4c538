"""Arrow rows as a client sends them → the columns that are kept, or BigQuery's refusal; and kept rows → Python."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from faults.columns import ARROW_TYPES, BIGNUMERIC_FIELD, Column
from faults.errors import AppendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def accepted(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.Table:
    """Raises AppendError."""
    _refuse_extra(batch.schema.names, columns, "")
    arrays = {name.lower(): array for name, array in zip(batch.schema.names, batch.columns, strict=True)}
    numbers = pa.array(range(batch.num_rows), pa.int64())
    kept = [_column(column, arrays.get(column.name.lower()), numbers, column.name) for column in columns]
    return pa.Table.from_arrays(kept, names=[column.name for column in columns])


def python_value(column: Column, value: Any) -> Any:
    """A kept value as a test compares it: what an extractor would yield for it, a RECORD as a dict."""
    if column.mode == "REPEATED":
        return [_python_one(column, one) for one in value or ()]
    return _python_one(column, value)


def _python_one(column: Column, value: Any) -> Any:
    if value is None:
        return None
    if column.type == "RECORD":
        return {field.name: python_value(field, value[field.name]) for field in column.fields}
    if column.type == "BIGNUMERIC":
        return Decimal(value[BIGNUMERIC_FIELD])
    return json.loads(value) if column.type == "JSON" else value


def _column(column: Column, array: pa.Array | None, numbers: pa.Array, path: str) -> pa.Array:
    """`numbers`: for each value, the row of the request that it is of."""
    if array is None:
        array = _missing(column, len(numbers), path)
    if column.mode == "REPEATED":
        return _list(column, array, numbers, path)
    if column.mode == "REQUIRED" and array.null_count:
        raise _refused_rows(f"Field {path} is REQUIRED and has no value", numbers, array.is_null())
    return _one(column, array, numbers, path)


def _missing(column: Column, length: int, path: str) -> pa.Array:
    if column.mode == "REQUIRED":
        raise AppendError(f"Field {path} is REQUIRED and not in the Arrow schema")
    if column.mode == "REPEATED":
        return pa.array([[]] * length, _sent_type(column))
    return pa.nulls(length, _sent_type(column))


def _sent_type(column: Column) -> pa.DataType:
    if column.type == "RECORD":
        one: pa.DataType = pa.struct([(field.name, _sent_type(field)) for field in column.fields])
    else:
        one = ARROW_TYPES[column.type]
    return pa.list_(one) if column.mode == "REPEATED" else one


def _list(column: Column, array: pa.Array, numbers: pa.Array, path: str) -> pa.Array:
    if not pa.types.is_list(array.type):
        raise _mismatch(column, array, path)
    if array.null_count:
        raise _refused_rows(f"Field {path} is REPEATED and NULL instead of an empty list", numbers, array.is_null())
    values = array.flatten()
    numbers = numbers.take(pc.list_parent_indices(array))
    if values.null_count:
        raise _refused_rows(f"Field {path} is REPEATED and has a NULL element", numbers, values.is_null())
    ends = pc.cumulative_sum(pc.list_value_length(array)).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, _one(column, values, numbers, path))


def _one(column: Column, array: pa.Array, numbers: pa.Array, path: str) -> pa.Array:
    if column.type == "RECORD":
        return _struct(column, array, numbers, path)
    if array.type != ARROW_TYPES[column.type]:
        raise _mismatch(column, array, path)
    if column.precision is not None and pa.types.is_decimal(array.type):
        narrow = pa.decimal256(column.precision, column.scale or 0)
        message = f"Field {path} does not fit {column.type}({column.precision}, {column.scale})"
        _each(array, numbers, message, lambda value: pa.scalar(value, array.type).cast(narrow))
    if column.type == "JSON":
        _each(array, numbers, f"Field {path} is not JSON", json.loads)
    if column.type == "BIGNUMERIC":
        return pa.StructArray.from_arrays([array.cast(pa.string())], names=[BIGNUMERIC_FIELD], mask=array.is_null())
    return array


def _struct(column: Column, array: pa.Array, numbers: pa.Array, path: str) -> pa.Array:
    if not pa.types.is_struct(array.type):
        raise _mismatch(column, array, path)
    names = [field.name for field in array.type]
    _refuse_extra(names, column.fields, f"{path}.")
    # A NULL record has NULL fields, REQUIRED ones too: only the fields of records that are there are looked at.
    present = array.is_valid()
    dense, there = array.filter(present), numbers.filter(present)
    arrays = dict(zip((name.lower() for name in names), dense.flatten(), strict=True))
    children = [
        _column(field, arrays.get(field.name.lower()), there, f"{path}.{field.name}") for field in column.fields
    ]
    places = pc.if_else(present, pc.subtract(pc.cumulative_sum(present.cast(pa.int64())), 1), None)
    return pa.StructArray.from_arrays(
        [child.take(places) for child in children],
        names=[field.name for field in column.fields],
        mask=pc.invert(present),
    )


def _each(array: pa.Array, numbers: pa.Array, message: str, check: Callable[[Any], object]) -> None:
    refused: list[int] = []
    for number, value in zip(numbers.to_pylist(), array.to_pylist(), strict=True):
        try:
            if value is not None:
                check(value)
        except ValueError:
            refused.append(number)
    if refused:
        raise AppendError(message, rows=refused)


def _refuse_extra(names: Iterable[str], columns: Sequence[Column], path: str) -> None:
    known = {column.name.lower() for column in columns}
    extra = [f"{path}{name}" for name in names if name.lower() not in known]
    if extra:
        raise AppendError(
            f"Input schema has more fields than BigQuery schema, extra fields: '{','.join(extra)}'",
            storage="SCHEMA_MISMATCH_EXTRA_FIELDS",
        )


def _refused_rows(message: str, numbers: pa.Array, at_fault: pa.Array) -> AppendError:
    return AppendError(message, rows=numbers.filter(at_fault).unique().to_pylist())


def _mismatch(column: Column, array: pa.Array, path: str) -> AppendError:
    return AppendError(f"Field {path}: Arrow type {array.type} is not one of a {column.mode} {column.type}")
