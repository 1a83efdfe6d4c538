"""A str, a UUID, an Enum, or a dict or a list as JSON → text that its column holds, or the reason why it cannot."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from exporter.refused_values import ValueRefusedError, shown, wrong_type

if TYPE_CHECKING:
    from exporter.schema import Column

_LONG_NUMBER = re.compile(r"\d{19}")


def to_string(column: Column, value: Any, path: str) -> str:
    if column.python_type is UUID:
        if not isinstance(value, UUID):
            raise wrong_type(path, value, "a UUID", "Yield a uuid.UUID, e.g. uuid.UUID(value).")
        return str(value)
    if issubclass(column.python_type, Enum):
        return _enum_value(column.python_type, value, path)
    if not isinstance(value, str):
        raise wrong_type(path, value, "a str", "Yield a str, e.g. str(value), in a QuerySet Cast(…, CharField()).")
    text = str.__str__(value)  # the text itself, also of a str that is an Enum member
    if column.choices and text not in column.choices:
        choices = ", ".join(map(repr, column.choices))
        raise ValueRefusedError(
            path, f"{shown(text)} is not one of {choices}.", "Yield one of them, or add it to Literal."
        )
    _refuse_surrogates(path, text)
    return text


def _enum_value(enumeration: type[Enum], value: Any, path: str) -> str:
    try:
        text = enumeration(value).value
    except ValueError as error:
        raise ValueRefusedError(
            path,
            f"{shown(value)} is not a {enumeration.__name__}.",
            f"Yield a member of {enumeration.__name__} or its value: {', '.join(repr(m.value) for m in enumeration)}.",
        ) from error
    _refuse_surrogates(path, text)
    return str.__str__(text)


def to_json(column: Column, value: Any, path: str = "") -> str:
    """The JSON text of a dict or a list, exactly as much as BigQuery's JSON type holds. Raises ValueRefusedError."""
    path = path or column.name
    kinds: tuple[type, ...] = (dict,) if column.python_type is dict else (list, tuple)
    if not isinstance(value, kinds):
        raise wrong_type(path, value, f"a {column.python_type.__name__}", f"Yield a {column.python_type.__name__}.")
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


def _refuse_surrogates(path: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueRefusedError(
            path,
            f"{shown(text)} holds the lone surrogate {text[error.start]!r}, which is not text in UTF-8.",
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
    elif isinstance(value, int) and not -(2**63) <= value <= 2**64 - 1:
        raise ValueRefusedError(path, f"{shown(value)} does not fit into 64 bits.", "Keep it as a str in the JSON.")
