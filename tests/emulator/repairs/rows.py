"""Arrow rows as a client sends them → Arrow rows as the table stores them, or BigQuery's refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from bqemulator.api.routes.tabledata import _build_arrow_schema
from bqemulator.api.routes.tables import _field_to_rest

if TYPE_CHECKING:
    from bqemulator.catalog.models import TableMeta

_FAMILIES = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind),
    pa.types.is_date,
    pa.types.is_time,
    lambda kind: pa.types.is_timestamp(kind) and kind.tz is None,
    lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,
)


class RefusedRowsError(ValueError):
    """What bqemulator's append handler answers as INVALID_ARGUMENT. `rows` are those of the request, if known."""

    def __init__(self, message: str, rows: tuple[int, ...] = ()) -> None:
        self.rows = rows
        super().__init__(message)


class ExtraFieldsError(RefusedRowsError):
    pass


def arrow_schema(table: TableMeta) -> pa.Schema:
    """bqemulator forgets the fields of RECORDs here, so their rows cannot be committed."""
    return _build_arrow_schema([_field_to_rest(field) for field in table.schema_.fields])


def aligned(rows: pa.Table, target: pa.Schema) -> pa.Table:
    """One array per column of the table, in its order."""
    arrays = [column.combine_chunks() for column in rows.columns]
    _refuse_extra(rows.column_names, target, "")
    by_name = {name.lower(): array for name, array in zip(rows.column_names, arrays, strict=True)}
    columns = [_aligned(by_name.get(field.name.lower()), field, rows.num_rows, field.name) for field in target]
    return pa.Table.from_arrays(columns, names=target.names)


def _aligned(array: pa.Array | None, field: pa.Field, length: int, path: str) -> pa.Array:
    if array is None:
        array = pa.nulls(length, field.type)
    if not field.nullable and array.null_count:
        # Nested values are not numbered like the rows that they come from.
        nulls = () if "." in path else tuple(pc.indices_nonzero(array.is_null()).to_pylist())
        raise RefusedRowsError(f"Field {path} is required and has {array.null_count} NULL values", nulls)
    kind = field.type
    if pa.types.is_list(kind):
        return _list(array, kind, path)
    if pa.types.is_struct(kind):
        return _struct(array, kind, path)
    return array if array.type == kind else _scalar(array, kind, path)


def _list(array: pa.Array, kind: pa.ListType, path: str) -> pa.Array:
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        raise _mismatch(array, kind, path)
    # BigQuery stores no NULL list, and refuses NULL elements.
    lengths = pc.fill_null(pc.list_value_length(array), 0).cast(pa.int32())
    values = array.flatten()
    if values.null_count:
        raise RefusedRowsError(f"Field {path} is repeated and has NULL elements")
    ends = pc.cumulative_sum(lengths)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, _aligned(values, kind.value_field, len(values), path))


def _struct(array: pa.Array, kind: pa.StructType, path: str) -> pa.Array:
    if pa.types.is_null(array.type):
        array = array.cast(kind)
    if not pa.types.is_struct(array.type):
        raise _mismatch(array, kind, path)
    present = array.is_valid()
    names = [field.name for field in array.type]
    _refuse_extra(names, kind, f"{path}.")
    # A NULL record has NULL fields, REQUIRED ones too: only the fields of records that are there are looked at.
    by_name = dict(zip((name.lower() for name in names), array.filter(present).flatten(), strict=True))
    dense = [
        _aligned(by_name.get(field.name.lower()), field, len(array) - array.null_count, f"{path}.{field.name}")
        for field in kind
    ]
    fields = [pa.field(field.name, values.type) for field, values in zip(kind, dense, strict=True)]
    if array.null_count == 0:
        return pa.StructArray.from_arrays(dense, fields=fields)
    places = pc.if_else(present, pc.subtract(pc.cumulative_sum(present.cast(pa.int64())), 1), None)
    return pa.StructArray.from_arrays([values.take(places) for values in dense], fields=fields, mask=pc.invert(present))


def _scalar(array: pa.Array, kind: pa.DataType, path: str) -> pa.Array:
    same_family = any(belongs(array.type) and belongs(kind) for belongs in _FAMILIES)
    if not same_family and not pa.types.is_null(array.type):
        raise _mismatch(array, kind, path)
    return array.cast(kind)


def _refuse_extra(names: list[str], target: pa.Schema | pa.StructType, path: str) -> None:
    known = {field.name.lower() for field in target}
    extra = [f"{path}{name}" for name in names if name.lower() not in known]
    if extra:
        raise ExtraFieldsError(f"Input schema has more fields than BigQuery schema, extra fields: '{','.join(extra)}'")


def _mismatch(array: pa.Array, kind: pa.DataType, path: str) -> RefusedRowsError:
    return RefusedRowsError(f"Field {path}: Arrow type {array.type} does not match the column's {kind}")
