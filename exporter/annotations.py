"""Annotations → BigQuery types and modes: the one Python → BigQuery type table."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

from exporter.errors import SchemaError


class Type(StrEnum):
    """Canonical names, as BigQuery's API returns them: aliases would be a lasting diff in Terraform."""

    BOOLEAN = "BOOLEAN"
    INTEGER = "INTEGER"
    FLOAT = "FLOAT"
    NUMERIC = "NUMERIC"
    BIGNUMERIC = "BIGNUMERIC"
    STRING = "STRING"
    BYTES = "BYTES"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    TIME = "TIME"
    JSON = "JSON"
    RECORD = "RECORD"


class Mode(StrEnum):
    """BigQuery's modes."""

    NULLABLE = "NULLABLE"
    REQUIRED = "REQUIRED"
    REPEATED = "REPEATED"


COLUMN_TYPES: dict[Any, Type] = {
    bool: Type.BOOLEAN,
    int: Type.INTEGER,
    float: Type.FLOAT,
    Decimal: Type.NUMERIC,
    str: Type.STRING,
    UUID: Type.STRING,
    bytes: Type.BYTES,
    date: Type.DATE,
    datetime: Type.TIMESTAMP,
    time: Type.TIME,
    dict: Type.JSON,
    list: Type.JSON,
}
"""Looked up exactly, never by `issubclass`: a bool is an int, a datetime is a date."""

_SUPPORTED = (
    "Use bool, int, float, Decimal, str, an Enum or Literal of str, UUID, bytes, date, datetime, time, "
    "dict or list[Any] (JSON), list[T], tuple[T, ...], a dataclass, or one of these | None."
)


def mode_of(path: str, annotation: Any) -> tuple[Any, Mode]:
    """Optional and list are modes in BigQuery, not types."""
    annotation = _bare(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        alternatives = [_bare(a) for a in typing.get_args(annotation) if a is not types.NoneType]
        if len(alternatives) != 1 or len(alternatives) == len(typing.get_args(annotation)):
            raise _unsupported(path, annotation)
        if _element(alternatives[0]) is not None:
            raise SchemaError(
                location=path,
                problem=f"BigQuery has no NULL list, so {_written(annotation)} has no column type.",
                remedy=f"Use {_written(alternatives[0])} and yield an empty list.",
            )
        return alternatives[0], Mode.NULLABLE
    element = _element(annotation)
    if element is None:
        return annotation, Mode.REQUIRED
    if typing.get_origin(element) in (typing.Union, types.UnionType):
        raise SchemaError(
            location=path,
            problem=f"BigQuery's lists hold no NULL, so {_written(annotation)} has no column type.",
            remedy="Leave None out of the list, or use a list of a dataclass with an optional field.",
        )
    if _element(element) is not None:
        raise SchemaError(
            location=path,
            problem=f"BigQuery has no list of lists, so {_written(annotation)} has no column type.",
            remedy="Use a list of a dataclass with a list in it, or list[Any], which is kept as JSON.",
        )
    return element, Mode.REPEATED


def _element(annotation: Any) -> Any | None:
    """T of list[T] and tuple[T, ...]; None for all else, and for list[Any], which is JSON."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list and arguments and arguments[0] is not Any:
        return _bare(arguments[0])
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[T, ...]
        return _bare(arguments[0])
    return None


def type_of(path: str, annotation: Any) -> tuple[Any, Type, tuple[str, ...]]:
    """An annotation without its mode → what a value is in Python, its BigQuery type, and a Literal's values."""
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        choices = typing.get_args(annotation)
        if all(type(choice) is str for choice in choices):
            return str, Type.STRING, choices
    elif origin in (dict, list):
        return origin, Type.JSON, ()
    elif isinstance(annotation, Hashable) and annotation in COLUMN_TYPES:
        return annotation, COLUMN_TYPES[annotation], ()
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        if len(annotation) and all(isinstance(member.value, str) for member in annotation):
            return annotation, Type.STRING, ()
    elif isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return annotation, Type.RECORD, ()
    raise _unsupported(path, annotation)


def _bare(annotation: Any) -> Any:
    """Without Annotated, NewType and the `type` statement, which name a type and do not change it."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # Python 3.12's; 3.11 has no name for it
            annotation = annotation.__value__
        else:
            return annotation


def _unsupported(path: str, annotation: Any) -> SchemaError:
    return SchemaError(
        location=path, problem=f"BigQuery has no column type for {_written(annotation)}.", remedy=_SUPPORTED
    )


def _written(annotation: Any) -> str:
    """As a person would write it."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return repr(annotation).replace("typing.", "")
