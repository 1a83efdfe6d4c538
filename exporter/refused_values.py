"""A value that BigQuery would refuse → the words that say so."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

_MAX_SHOWN_BITS = 1_000
_SHOWN = 60  # characters of a value in a message: enough to find it, not a page of a log


class ValueRefusedError(Exception):
    """`path` is the column, with the way into a RECORD or a list: `legs[2].fare`."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        self.path = path
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{path}: {problem}")


def wrong_type(path: str, value: object, expected: str, remedy: str) -> ValueRefusedError:
    if value is None:
        return ValueRefusedError(path, f"None is not {expected}.", remedy)
    return ValueRefusedError(path, f"{type(value).__name__} {shown(value)} is not {expected}.", remedy)


def shown(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > _MAX_SHOWN_BITS:  # Python refuses to write very long ones
        return f"an int of {value.bit_length():,} bits"
    text = str(value) if isinstance(value, (int, Decimal, date, time)) else _ascii_safe(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _ascii_safe(text: str) -> str:
    """As it is, but with what a terminal or a log could not encode written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()
