"""A column of a schema → its type, mode and sizes in BigQuery's words, and which of two types holds more."""

from __future__ import annotations

from typing import Any

Column = dict[str, Any]

SIZES = ("precision", "scale", "maxLength")
_ALIASES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
# One for BigQuery, but not for the provider, which replaces a table over them.
_NAMES_OF_ONE = {"STRUCT": "RECORD", "DECIMAL": "NUMERIC", "BIGDECIMAL": "BIGNUMERIC"}
_DIGITS = {"NUMERIC": (38, 9), "BIGNUMERIC": (76, 38)}


def described_type(column: Column) -> str:
    """Such as NUMERIC(10, 2), REQUIRED; of a RECORD its fields too."""
    fields = ", ".join(f"{field['name']} {sized_type(field)}" for field in fields_of(column))
    return sized_type(column) + (f" ({fields})" if fields else "") + f", {mode_of(column)}"


def mode_of(column: Column) -> str:
    return str(column.get("mode") or "NULLABLE").upper()


def type_of(column: Column) -> str:
    upper = str(column.get("type")).upper()
    return _ALIASES.get(upper, upper)


def canonical_type(column: Column) -> str:
    return _NAMES_OF_ONE.get(type_of(column), type_of(column))


def sized_type(column: Column) -> str:
    sizes = sizes_of(column)
    return type_of(column) + (f"({', '.join(sizes)})" if sizes else "")


def sizes_of(column: Column) -> list[str]:
    return [str(column[name]) for name in SIZES if column.get(name) not in (None, "", 0, "0")]


def holds(column: Column, other: Column) -> bool:
    """Whether every value of the other column fits into this one, of the same type."""
    if canonical_type(column) not in _DIGITS:
        length, other_length = (_number(one.get("maxLength")) for one in (column, other))
        return not length or bool(other_length and other_length <= length)
    return all(mine >= its for mine, its in zip(_digits(column), _digits(other), strict=True))


def _digits(column: Column) -> tuple[int, int]:
    """Before and after the point."""
    precision, scale = _DIGITS[canonical_type(column)]
    if column.get("precision"):
        precision, scale = _number(column["precision"]), _number(column.get("scale"))
    return precision - scale, scale


def _number(value: object) -> int:
    try:
        return int(str(value or 0))
    except ValueError:
        return 0


def fields_of(column: Column) -> list[Column]:
    return list(column.get("fields") or [])
