"""A statement of Django's → SQL and parameters for ADBC's driver for SQLite, which goes by the types of values."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from exporter.statements import Selected, Statement

# Outside of triggers SQLite has no function that raises: this one has no result, https://www.sqlite.org/lang_corefunc.html#abs
_RAISE, ODD_VALUE = "abs(-9223372036854775808)", "integer overflow"

# The first row tells the driver the type of each column; its own guess is the first value that is not NULL. Text is
# asked for as bytes: then a number in its place is an error, where the driver would write it as text.
_FIRST_VALUES = {"BooleanField": "0", "FloatField": "0.0", "DecimalField": "0.0"}
_BINDABLE: dict[type, Callable[[Any], Any]] = {
    **{kind: kind for kind in (int, float, str, bytes)},
    bool: int,
    memoryview: bytes,
    Decimal: str,
    type(None): lambda _value: None,
}
_TEMPORAL = frozenset({"DateField", "DateTimeField", "TimeField"})


def typed(statement: Statement) -> str:
    """With a first row of values that tell the driver the types, and an error at a row that has others."""
    names = [f"c{place}" for place in range(len(statement.selected))]
    first = [_first_value(selected.kind) for selected in statement.selected]
    odd = [
        condition
        for name, selected, value in zip(names, statement.selected, first, strict=True)
        if value == "x''"
        for condition in _odd(name, selected)
    ]
    columns = ", ".join(names)
    return (
        f"WITH q({columns}) AS ({_qmarks(statement.sql)}) "
        f"SELECT {', '.join(first)} UNION ALL SELECT {columns} FROM q"
        + (f" WHERE ({' OR '.join(odd)}) IS NOT TRUE OR {_RAISE}" if odd else "")
    )


def _odd(name: str, selected: Selected) -> Iterator[str]:
    """What is true of values of another type. In SQLite's order numbers come first, then text, then bytes."""
    if selected.kind == "BinaryField":
        yield f"{name} < x''"
    elif not (selected.stored and selected.kind in _TEMPORAL):  # of which Python's driver takes bytes for text
        yield f"{name} >= x''"
        if not selected.stored:  # a column for text turns numbers into text
            yield f"{name} < ''"


def _first_value(kind: str) -> str:
    number = "0" if kind.endswith(("IntegerField", "AutoField")) else "x''"
    return _FIRST_VALUES.get(kind, number)


def _qmarks(sql: str) -> str:
    """As Django's cursor writes them."""
    return re.sub(r"(?<!%)%s", "?", sql).replace("%%", "%")


def bindable(params: Sequence[Any]) -> list[Any]:
    """As Python's driver binds them. Raises RowsNeededError: it has another way for one of them."""
    return [_BINDABLE[type(value)](value) if type(value) in _BINDABLE else _refused(value) for value in params]


def _refused(value: object) -> Any:
    raise RowsNeededError(f"a parameter is of type {type(value).__name__}")
