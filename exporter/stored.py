"""A driver's Arrow array → the values that Django would give of it, still as Arrow."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from exporter.statements import RowsNeededError
from exporter.values import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.statements import Selected

Given: TypeAlias = tuple[type, Any]
"""What one value is in Python, and the array. A UUID, a JSON (dict) and a Decimal are text in it."""

_INSTANT = pa.timestamp("us", "UTC")
_EXACT_FLOATS = 2.0**53
_FIRST_LOCAL = microseconds(datetime(1, 1, 2, tzinfo=UTC))
_LAST_LOCAL = microseconds(datetime(9999, 12, 31, tzinfo=UTC))

_POSTGRESQL: dict[str, tuple[type, pa.DataType]] = {
    "bool": (bool, pa.bool_()),
    "int2": (int, pa.int64()),
    "int4": (int, pa.int64()),
    "int8": (int, pa.int64()),
    "float8": (float, pa.float64()),
    "numeric": (Decimal, pa.string()),
    "text": (str, pa.string()),
    "varchar": (str, pa.string()),
    "bpchar": (str, pa.string()),
    "uuid": (UUID, pa.binary(16)),
    "bytea": (bytes, pa.binary()),
    "date": (date, pa.date32()),
    "timestamptz": (datetime, _INSTANT),
    "time": (time, pa.time64("us")),
    "jsonb": (dict, pa.string()),
}
"""By the names that the driver tells; of others it is not known here what psycopg makes."""

_TEXTS = (
    "CharField",
    "TextField",
    "SlugField",
    "FileField",
    "FilePathField",
    "GenericIPAddressField",
    "IPAddressField",
)


def of_postgresql(_selected: Selected, field: pa.Field, array: pa.Array) -> Given:
    """Raises RowsNeededError, ArrowException: another type, or text that is not UTF-8."""
    name = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    if name not in _POSTGRESQL:
        raise RowsNeededError(f"{name or field.type} of PostgreSQL")
    kind, arrow_type = _POSTGRESQL[name]
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if array.type != arrow_type:
        array = array.cast(arrow_type)
    if kind is UUID:
        return kind, _with_dashes(_hexadecimal(array))
    if kind is str:
        array.validate(full=True)  # a database of encoding SQL_ASCII holds any bytes
    return kind, array


def require_local_instants(array: pa.Array) -> None:
    """Raises RowsNeededError: psycopg, which makes them local to a zone, may find no such datetime."""
    extremes = pc.min_max(array)
    first, last = (extremes[name].cast(pa.int64()).as_py() for name in ("min", "max"))
    if first is not None and (first < _FIRST_LOCAL or last >= _LAST_LOCAL):
        raise RowsNeededError("at the ends of the calendar")


def of_sqlite(selected: Selected, field: pa.Field, array: pa.Array) -> Given:
    """Raises RowsNeededError, ArrowException: values of another type than Django writes into such a field."""
    reader = _SQLITE.get(selected.kind)
    if reader is None and selected.kind.endswith(("IntegerField", "AutoField")):
        reader = _SQLITE["IntegerField"]
    if reader is None:
        raise RowsNeededError(f"a {selected.kind} of SQLite")
    kind, arrow_type, convert = reader
    if field.type != arrow_type:
        raise RowsNeededError(f"{field.type} in a {selected.kind}")
    return kind, convert(array, selected)


def _hexadecimal(array: pa.Array) -> pa.Array:
    """Of values of 16 bytes."""
    data = array.buffers()[1].slice(array.offset * 16, len(array) * 16)
    offsets = pa.array(range(0, 32 * len(array) + 1, 32), pa.int32())
    digits = data.to_pybytes().hex().encode()
    texts = pa.StringArray.from_buffers(len(array), offsets.buffers()[1], pa.py_buffer(digits))
    return pc.if_else(array.is_valid(), texts, None) if array.null_count else texts


def _with_dashes(digits: pa.Array) -> pa.Array:
    parts = [pc.utf8_slice_codeunits(digits, *bounds) for bounds in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))]
    return pc.binary_join_element_wise(*parts, "-")


def _booleans(array: pa.Array, _selected: Selected) -> pa.Array:
    extremes = pc.min_max(array)
    if extremes["min"].as_py() not in {0, 1} or extremes["max"].as_py() not in {0, 1}:
        raise RowsNeededError("another number than 0 and 1 in a BooleanField")
    return array.cast(pa.bool_())


def _uuids(array: pa.Array, _selected: Selected) -> pa.Array:
    digits = array.cast(pa.string())
    if not pc.all(pc.match_substring_regex(digits, "^[0-9a-f]{32}$")).as_py():
        raise RowsNeededError("a UUID that Django would not write")
    return _with_dashes(digits)


def _decimals(array: pa.Array, selected: Selected) -> pa.Array:
    """Django rounds them to the 15 digits that a float is sure to hold, and to the places of the field. The shortest
    text that means the float is the same where it has no more digits than that.
    """
    texts = array.cast(pa.string())
    if pc.all(pc.match_substring_regex(texts, r"^-?(\d\.?){1,15}(e-\d+)?$")).as_py():
        if selected.digits is None:
            return texts
        with suppress(ValueError):  # Arrow's, also for more digits than it has
            return texts.cast(pa.decimal128(*selected.digits))
    if pc.max(pc.abs(array)).as_py() >= _EXACT_FLOATS:
        raise RowsNeededError("the driver does not tell integers of this size from floats")
    return pa.array([None if value is None else str(selected.convert(value)) for value in array.to_pylist()])


def _dates(array: pa.Array, _selected: Selected) -> pa.Array:
    return array.cast(pa.string()).cast(pa.date32())


def _instants(array: pa.Array, _selected: Selected) -> pa.Array:
    return array.cast(pa.string()).cast(pa.timestamp("us")).view(_INSTANT)


def _times(array: pa.Array, _selected: Selected) -> pa.Array:
    """As of the first day of 1970: Arrow parses no times."""
    texts = pc.binary_join_element_wise("1970-01-01", array.cast(pa.string()), " ")
    return texts.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.time64("us"))


def _texts(array: pa.Array, _selected: Selected) -> pa.Array:
    return array.cast(pa.string())  # which looks whether it is UTF-8


def _as_it_is(array: pa.Array, _selected: Selected) -> pa.Array:
    return array


_SQLITE: dict[str, tuple[type, pa.DataType, Callable[[pa.Array, Selected], pa.Array]]] = {
    "BooleanField": (bool, pa.int64(), _booleans),
    "IntegerField": (int, pa.int64(), _as_it_is),
    "FloatField": (float, pa.float64(), _as_it_is),
    "DecimalField": (Decimal, pa.float64(), _decimals),
    "UUIDField": (UUID, pa.binary(), _uuids),
    "BinaryField": (bytes, pa.binary(), _as_it_is),
    "DateField": (date, pa.binary(), _dates),
    "DateTimeField": (datetime, pa.binary(), _instants),
    "TimeField": (time, pa.binary(), _times),
    "JSONField": (dict, pa.binary(), _texts),
    **dict.fromkeys(_TEXTS, (str, pa.binary(), _texts)),
}
