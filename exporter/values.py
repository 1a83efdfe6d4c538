"""One Python value of a column → what Arrow takes, or the reason why BigQuery would refuse it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from exporter.annotations import Type
from exporter.numbers import to_decimal, to_float, to_integer
from exporter.refused_values import ValueRefusedError, wrong_type
from exporter.texts import to_json, to_string

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.schema import Column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_INSTANT = datetime.min.replace(tzinfo=UTC) - EPOCH
LAST_INSTANT = datetime.max.replace(tzinfo=UTC) - EPOCH


def microseconds(instant: datetime) -> int:
    """Of an aware one, since 1970-01-01 UTC."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def convert(column: Column, value: Any, path: str = "") -> Any:
    """A value that is not None, as its Arrow array takes it; a TIMESTAMP as the timedelta since 1970-01-01 UTC.

    Raises ValueRefusedError.
    """
    return _CONVERTERS[column.type](column, value, path or column.name)


def _boolean(_column: Column, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(path, value, "a bool", "Yield True or False, e.g. bool(value).")
    return value


def _bytes(_column: Column, value: Any, path: str) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise wrong_type(path, value, "bytes", "Yield bytes, e.g. value.encode().")
    return bytes(value)


def _date(_column: Column, value: Any, path: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        remedy = (
            "Yield a datetime.date, e.g. django.utils.timezone.localtime(value).date() of a datetime, in a QuerySet "
            "TruncDate(…)."
        )
        raise wrong_type(path, value, "a date", remedy)
    return value


def _timestamp(_column: Column, value: Any, path: str) -> timedelta:
    if not isinstance(value, datetime):
        raise wrong_type(path, value, "a datetime", "Yield an aware datetime.datetime.")
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
        raise wrong_type(path, value, "a time", "Yield a datetime.time.")
    if value.tzinfo is not None:
        raise ValueRefusedError(
            path, f"time {value} has a time zone, which BigQuery's TIME has not.", "Yield value.replace(tzinfo=None)."
        )
    return value


_CONVERTERS: dict[Type, Callable[[Column, Any, str], Any]] = {
    Type.BOOLEAN: _boolean,
    Type.INTEGER: to_integer,
    Type.FLOAT: to_float,
    Type.NUMERIC: to_decimal,
    Type.BIGNUMERIC: to_decimal,
    Type.STRING: to_string,
    Type.BYTES: _bytes,
    Type.DATE: _date,
    Type.TIMESTAMP: _timestamp,
    Type.TIME: _time,
    Type.JSON: to_json,
}
