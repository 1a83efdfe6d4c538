"""One Python value of a column → what Arrow takes, or the reason why BigQuery would refuse it.

The slow, exact side of validation: batches are checked whole, and only a batch that fails is looked at value by value.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from exporter.annotations import Mode, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exporter.schema import Column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_INSTANT = datetime.min.replace(tzinfo=UTC) - EPOCH
LAST_INSTANT = datetime.max.replace(tzinfo=UTC) - EPOCH

_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)
_LONG_NUMBER = re.compile(r"\d{19}")
_MAX_SHOWN_BITS = 1_000
_SHOWN = 60  # characters of a value in a message: enough to find it, not a page of a log


class ValueRefusedError(Exception):
    """`path` is the column, with the way into a RECORD or a list: `legs[2].fare`."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        self.path = path
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{path}: {problem}")


def check_row(columns: Iterable[Column], row: object) -> None:
    """Raise ValueRefusedError for the first value that BigQuery would refuse."""
    for column in columns:
        _check(column, column.name, getattr(row, column.name))


def convert(column: Column, value: Any, path: str = "") -> Any:
    """A value that is not None, as its Arrow array takes it; a TIMESTAMP as the timedelta since 1970-01-01 UTC."""
    return _CONVERTERS[column.type](column, value, path or column.name)


def to_json(column: Column, value: Any, path: str = "") -> str:
    """The JSON text of a dict or a list, exactly as much as BigQuery's JSON type holds."""
    path = path or column.name
    kinds: tuple[type, ...] = (dict,) if column.python_type is dict else (list, tuple)
    if not isinstance(value, kinds):
        raise _wrong_type(path, value, f"a {column.python_type.__name__}", f"Yield a {column.python_type.__name__}.")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueRefusedError(
            path, f"cannot be written as JSON: {error}.", "Use dict, list, str, int, float, bool and None inside it."
        ) from error
    _refuse_surrogates(path, text)
    if _LONG_NUMBER.search(text):
        _refuse_long_numbers(path, value)
    return text


def _check(column: Column, path: str, value: Any) -> None:
    if column.mode is Mode.REPEATED:
        if not isinstance(value, (list, tuple)):
            remedy = "BigQuery has no NULL list: yield an empty list." if value is None else "Yield a list or a tuple."
            raise _wrong_type(path, value, "a list", remedy)
        for position, element in enumerate(value):
            if element is None:
                raise ValueRefusedError(
                    f"{path}[{position}]", "None in a list, where BigQuery has no NULL.", "Leave it out of the list."
                )
            _check_one(column, f"{path}[{position}]", element)
    elif value is not None:
        _check_one(column, path, value)
    elif column.mode is Mode.REQUIRED:
        raise ValueRefusedError(
            path,
            "None in a REQUIRED column.",
            "Yield a value, or annotate the field with `| None` and apply Terraform.",
        )


def _check_one(column: Column, path: str, value: Any) -> None:
    if column.type is not Type.RECORD:
        convert(column, value, path)
        return
    if not isinstance(value, column.python_type):
        name = column.python_type.__name__
        raise _wrong_type(path, value, f"an instance of {name}", f"Yield {name}(…).")
    for field in column.fields:
        _check(field, f"{path}.{field.name}", getattr(value, field.name))


def _boolean(_column: Column, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(path, value, "a bool", "Yield True or False, e.g. bool(value).")
    return value


def _integer(_column: Column, value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(path, value, "an int", "Yield an int, e.g. int(value).")
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        raise ValueRefusedError(
            path,
            f"{_shown(value)} does not fit into 64 bits.",
            "Annotate the field with Decimal or str instead of int.",
        )
    return int(value)


def _float(column: Column, value: Any, path: str) -> float:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        return float(value)  # exact, and an int is a float to Python's type checkers (PEP 484)
    if not isinstance(value, float):
        raise _wrong_type(path, value, "a float", "Yield a float, e.g. float(value).")
    if not math.isfinite(value) and not column.allow_nan:
        raise ValueRefusedError(
            path,
            f"{value} is not a number that sums and averages survive.",
            "Yield None (annotate with `float | None`), or allow it with sq_field(allow_nan=True).",
        )
    return float(value)


def _decimal(column: Column, value: Any, path: str) -> Decimal:
    if not isinstance(value, Decimal):
        raise _wrong_type(path, value, "a Decimal", "Yield a Decimal, e.g. Decimal(str(value)).")
    if not value.is_finite():
        raise ValueRefusedError(
            path, f"{value} is not a finite Decimal.", "Yield None (annotate with `Decimal | None`)."
        )
    scale = 9 if column.scale is None else column.scale
    whole = 29 if column.precision is None else column.precision - scale
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite, so not one of the letters n, N, F
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    exponent += len(text) - len(kept)
    if kept and -exponent > scale:
        raise ValueRefusedError(
            path,
            f"{_shown(value)} has more than {scale} digits after the point.",
            f"Round it, e.g. round(value, {scale}), or give the column a larger scale: sq_field(precision=…, scale=…).",
        )
    if kept and len(kept) + exponent > whole:
        raise ValueRefusedError(
            path,
            f"{_shown(value)} has more than {whole} digits before the point.",
            "Give the column a larger precision: sq_field(precision=…, scale=…).",
        )
    return Decimal((sign, tuple(map(int, kept)), exponent)) if kept else Decimal(0)


def _string(column: Column, value: Any, path: str) -> str:
    if column.python_type is UUID:
        if not isinstance(value, UUID):
            raise _wrong_type(path, value, "a UUID", "Yield a uuid.UUID, e.g. uuid.UUID(value).")
        return str(value)
    if issubclass(column.python_type, Enum):
        return _enum_value(column.python_type, value, path)
    if not isinstance(value, str):
        raise _wrong_type(path, value, "a str", "Yield a str, e.g. str(value).")
    text = str.__str__(value)  # the text itself, also of a str that is an Enum member
    if column.choices and text not in column.choices:
        choices = ", ".join(map(repr, column.choices))
        raise ValueRefusedError(
            path, f"{_shown(text)} is not one of {choices}.", "Yield one of them, or add it to Literal."
        )
    _refuse_surrogates(path, text)
    return text


def _enum_value(enumeration: type[Enum], value: Any, path: str) -> str:
    try:
        text = enumeration(value).value
    except ValueError as error:
        raise ValueRefusedError(
            path,
            f"{_shown(value)} is not a {enumeration.__name__}.",
            f"Yield a member of {enumeration.__name__} or its value: {', '.join(repr(m.value) for m in enumeration)}.",
        ) from error
    _refuse_surrogates(path, text)
    return str.__str__(text)


def _bytes(_column: Column, value: Any, path: str) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise _wrong_type(path, value, "bytes", "Yield bytes, e.g. value.encode().")
    return bytes(value)


def _date(_column: Column, value: Any, path: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        remedy = "Yield a datetime.date, e.g. django.utils.timezone.localtime(value).date() of a datetime."
        raise _wrong_type(path, value, "a date", remedy)
    return value


def _timestamp(_column: Column, value: Any, path: str) -> timedelta:
    if not isinstance(value, datetime):
        raise _wrong_type(path, value, "a datetime", "Yield an aware datetime.datetime.")
    if value.utcoffset() is None:
        raise ValueRefusedError(
            path,
            f"naive datetime {value}.",
            "Use an aware datetime, e.g. django.utils.timezone.make_aware(value).",
        )
    since_epoch = value - EPOCH
    if not FIRST_INSTANT <= since_epoch <= LAST_INSTANT:
        raise ValueRefusedError(
            path, f"{value} is outside the years 1 to 9999 in UTC.", "BigQuery's TIMESTAMP ends there."
        )
    return timedelta(since_epoch.days, since_epoch.seconds, since_epoch.microseconds)


def _time(_column: Column, value: Any, path: str) -> time:
    if not isinstance(value, time):
        raise _wrong_type(path, value, "a time", "Yield a datetime.time.")
    if value.tzinfo is not None:
        raise ValueRefusedError(
            path, f"time {value} has a time zone, which BigQuery's TIME has not.", "Yield value.replace(tzinfo=None)."
        )
    return value


_CONVERTERS: dict[Type, Callable[[Column, Any, str], Any]] = {
    Type.BOOLEAN: _boolean,
    Type.INTEGER: _integer,
    Type.FLOAT: _float,
    Type.NUMERIC: _decimal,
    Type.BIGNUMERIC: _decimal,
    Type.STRING: _string,
    Type.BYTES: _bytes,
    Type.DATE: _date,
    Type.TIMESTAMP: _timestamp,
    Type.TIME: _time,
    Type.JSON: to_json,
}


def _wrong_type(path: str, value: object, expected: str, remedy: str) -> ValueRefusedError:
    if value is None:
        return ValueRefusedError(path, f"None is not {expected}.", remedy)
    return ValueRefusedError(path, f"{type(value).__name__} {_shown(value)} is not {expected}.", remedy)


def _refuse_surrogates(path: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueRefusedError(
            path,
            f"{_shown(text)} holds the lone surrogate {text[error.start]!r}, which is not text in UTF-8.",
            'Replace it, e.g. value.encode("utf-8", "replace").decode().',
        ) from error


def _refuse_long_numbers(path: str, value: Any) -> None:
    """BigQuery's JSON holds integers of 64 bits, signed or not; a longer one would lose its last digits."""
    if isinstance(value, dict):
        for item in value.values():
            _refuse_long_numbers(path, item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_long_numbers(path, item)
    elif isinstance(value, int) and not _MIN_INTEGER <= value <= 2**64 - 1:
        raise ValueRefusedError(path, f"{_shown(value)} does not fit into 64 bits.", "Keep it as a str in the JSON.")


def _shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _MAX_SHOWN_BITS:  # Python refuses to write very long ones
        return f"an int of {value.bit_length():,} bits"
    text = str(value) if isinstance(value, (int, Decimal, date, time)) else ascii_safe(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def ascii_safe(text: str) -> str:
    """As it is, but with what a terminal or a log could not encode written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()
