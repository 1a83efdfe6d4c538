"""An int, a float or a Decimal → a number that its column holds exactly, or the reason why it cannot."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exporter.refused_values import ValueRefusedError, shown, wrong_type

if TYPE_CHECKING:
    from exporter.schema import Column

_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)


def to_integer(_column: Column, value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type(path, value, "an int", "Yield an int, e.g. int(value), in a QuerySet Cast(…, IntegerField()).")
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        raise ValueRefusedError(
            path,
            f"{shown(value)} does not fit into 64 bits.",
            "Annotate the field with Decimal or str instead of int.",
        )
    return int(value)


def to_float(column: Column, value: Any, path: str) -> float:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        return float(value)  # exact, and an int is a float to Python's type checkers (PEP 484)
    if not isinstance(value, float):
        raise wrong_type(
            path, value, "a float", "Yield a float, e.g. float(value), in a QuerySet Cast(…, FloatField())."
        )
    if not math.isfinite(value) and not column.allow_nan:
        raise ValueRefusedError(
            path,
            f"{value} is not a number that sums and averages survive.",
            "Yield None (annotate with `float | None`), or allow it with sq_field(allow_nan=True).",
        )
    return float(value)


def to_decimal(column: Column, value: Any, path: str) -> Decimal:
    if not isinstance(value, Decimal):
        raise wrong_type(
            path,
            value,
            "a Decimal",
            "Yield a Decimal, e.g. Decimal(str(value)), in a QuerySet Cast(…, DecimalField(…)).",
        )
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
            f"{shown(value)} has more than {scale} digits after the point.",
            f"Round it, e.g. round(value, {scale}), or give the column a larger scale: sq_field(precision=…, scale=…).",
        )
    if kept and len(kept) + exponent > whole:
        raise ValueRefusedError(
            path,
            f"{shown(value)} has more than {whole} digits before the point.",
            "Give the column a larger precision: sq_field(precision=…, scale=…).",
        )
    return Decimal((sign, tuple(map(int, kept)), exponent)) if kept else Decimal(0)
