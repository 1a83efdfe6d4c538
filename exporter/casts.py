"""Values as Django would give them, in Arrow → the validated array of a table's column, or the need for rows."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from exporter.annotations import Mode, Type
from exporter.arrays import ARROW_TYPES, array_of, require_range
from exporter.errors import in_a_line
from exporter.gather import Gathered
from exporter.refused_values import ValueRefusedError
from exporter.statements import RowsNeededError
from exporter.texts import to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.schema import Column
    from exporter.statements import Selected
    from exporter.stored import Given

_GIVEN: dict[Type, type] = {
    Type.BOOLEAN: bool,
    Type.INTEGER: int,
    Type.FLOAT: float,
    Type.NUMERIC: Decimal,
    Type.BIGNUMERIC: Decimal,
    Type.STRING: str,
    Type.BYTES: bytes,
    Type.DATE: date,
    Type.TIMESTAMP: datetime,
    Type.TIME: time,
    Type.JSON: dict,
}
"""What Django has to give for a column, a UUID for one of UUIDs."""

_WHOLE_DIGITS = {Type.NUMERIC: 29, Type.BIGNUMERIC: 38}
"""Before the point. https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types"""

_EPOCH_DAY = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = ((day - _EPOCH_DAY).days for day in (date.min, date.max))
_DAY_MICROSECONDS = 86_400_000_000


def cast(
    read: Callable[[Selected, pa.Field, pa.Array], Given], selected: Selected, field: pa.Field, array: pa.Array
) -> pa.Array:
    """The array of a column, of what a driver has read. Raises RowsNeededError: not as it is to be, or not known."""
    name = selected.column.name
    try:
        return _cast(read, selected, field, array)
    except RowsNeededError as reason:
        raise RowsNeededError(f"column {name}: {reason}") from reason
    except ValueRefusedError as refused:
        raise RowsNeededError(f"column {in_a_line(refused)}") from refused
    except Exception as error:  # Arrow's, and what a decoder of JSON may raise
        raise RowsNeededError(f"column {name}: {in_a_line(error)}") from error


def _cast(
    read: Callable[[Selected, pa.Field, pa.Array], Given], selected: Selected, field: pa.Field, array: pa.Array
) -> pa.Array:
    column = selected.column
    if column.mode is Mode.REPEATED or column.type is Type.RECORD:
        raise RowsNeededError(f"{column.mode} {column.type}")
    if column.mode is Mode.REQUIRED and array.null_count:
        raise RowsNeededError("NULL in a REQUIRED column")
    if array.null_count == len(array):
        return pa.nulls(len(array), ARROW_TYPES[column.type])
    kind, array = read(selected, field, array)
    if not selected.stored:
        kind, array = _converted(selected, kind, array)
    if column.type is Type.FLOAT and kind is int:
        kind, array = float, array.cast(pa.float64())  # exactly, or not at all
    if kind is not (UUID if column.python_type is UUID else _GIVEN[column.type]):
        raise RowsNeededError(f"{kind.__name__} instead of {column.type}")
    if column.type is Type.JSON:
        return _json(selected, array)
    if column.type in _WHOLE_DIGITS and array.type == pa.string():
        _require_digits(array, _WHOLE_DIGITS[column.type])
    if array.type != ARROW_TYPES[column.type]:
        array = array.cast(ARROW_TYPES[column.type])
    _require_values(column, array)
    return array


def _require_digits(texts: pa.Array, whole: int) -> None:
    """Of numbers with more, Arrow's cast makes others, where it should refuse them."""
    if not pc.all(pc.match_substring_regex(texts, rf"^-?\d{{0,{whole}}}(\.\d*)?(e-\d+)?$")).as_py():
        raise RowsNeededError(f"not a number of up to {whole} digits before the point")


def _converted(selected: Selected, kind: type, array: pa.Array) -> Given:
    """What Django's `int(value)`, `float(value)` and `Decimal(value)` make of an expression's value."""
    if selected.kind.endswith("IntegerField") and kind is Decimal:
        return int, array.cast(pa.int64())
    if selected.kind == "FloatField" and kind in {int, Decimal}:
        return float, array.cast(pa.float64())
    wanted = {"FloatField": float, "DecimalField": Decimal}.get(selected.kind, kind)
    if selected.kind.endswith("IntegerField"):
        wanted = int
    if kind is not wanted:
        raise RowsNeededError(f"{kind.__name__} that becomes {wanted.__name__}")
    return kind, array


def _json(selected: Selected, array: pa.Array) -> pa.Array:
    """Text by text: a database writes the same JSON in other words."""
    values = [None if text is None else selected.convert(text) for text in array.to_pylist()]
    texts = [None if value is None else to_json(selected.column, value) for value in values]
    return array_of(Gathered(column=selected.column, values=texts), absent=0)


def _require_values(column: Column, array: pa.Array) -> None:
    require_range(column, array, [])
    if column.type is Type.DATE:
        _require_between(array.cast(pa.int32()), _FIRST_DAY, _LAST_DAY)
    elif column.type is Type.TIME:
        _require_between(array.cast(pa.int64()), 0, _DAY_MICROSECONDS - 1)
    elif column.type is Type.STRING and (choices := _choices(column)):
        allowed = pa.array([*choices, None], pa.string())
        if not pc.all(pc.is_in(array, value_set=allowed)).as_py():
            raise RowsNeededError("not one of its values")


def _choices(column: Column) -> tuple[Any, ...]:
    if isinstance(column.python_type, type) and issubclass(column.python_type, Enum):
        return tuple(str.__str__(member.value) for member in column.python_type)
    return column.choices


def _require_between(array: pa.Array, first: int, last: int) -> None:
    extremes = pc.min_max(array)
    if extremes["min"].as_py() < first or extremes["max"].as_py() > last:
        raise RowsNeededError("beyond the calendar")
