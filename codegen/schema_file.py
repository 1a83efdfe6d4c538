"""The JSON of a table's schema → its columns, as long as it is what codegen wrote.

Nothing is guessed: what was edited by hand may be what BigQuery has, or may not, and a wrong guess costs rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.errors import OutputError
from exporter.annotations import Mode, Type
from exporter.names import column_name_problem
from exporter.schema import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_ALIASES = {
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOL": "BOOLEAN",
    "DECIMAL": "NUMERIC",
    "FLOAT64": "FLOAT",
    "INT64": "INTEGER",
    "STRUCT": "RECORD",
}
_TYPES, _MODES = tuple(map(str, Type)), tuple(map(str, Mode))
_MAX_VALUE = 60


def columns_in(path: Path, content: object) -> tuple[Column, ...]:
    """`content` is what the file holds. Raises OutputError."""
    return _columns(path, content)


def edited(path: Path, problem: str, *, where: str = "") -> OutputError:
    """A generated file says what codegen would not have written."""
    return OutputError(
        location=f"{path}, {where}" if where else str(path),
        problem=f"{problem}. This version of codegen does not write that.",
        remedy=f"Restore it from version control (`git checkout -- {path}`), or write what BigQuery has; then run "
        "codegen again. Nothing was written.",
    )


def missing(path: Path) -> OutputError:
    """A schema that is not there, of a table that the manifest has."""
    return OutputError(
        location=str(path),
        problem="is missing, and the manifest has its table. Without it codegen cannot tell what would be lost.",
        remedy=f"Restore it from version control (`git checkout -- {path}`); then run codegen again. "
        "Nothing was written.",
    )


def shown(value: object) -> str:
    """Any value in a message, of a bounded length."""
    text = repr(value)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _columns(path: Path, content: object, outer: str = "") -> tuple[Column, ...]:
    where = f"column {outer}" if outer else ""
    if not isinstance(content, list) or not content:
        raise edited(path, "holds no list of columns", where=where)
    columns: dict[str, Column] = {}
    for number, element in enumerate(content, start=1):
        if not isinstance(element, dict) or "name" not in element:
            raise edited(path, f"number {number} of its columns has no name", where=where)
        name = element["name"]
        if column_name_problem(name):
            raise edited(path, f"number {number} of its columns is called {shown(name)}", where=where)
        column = _column(path, element, f"{outer}.{name}" if outer else name)
        if columns.setdefault(name.lower(), column) is not column:
            raise edited(path, f"has {columns[name.lower()].name} and {name}, which are one column", where=where)
    return tuple(columns.values())


def _column(path: Path, content: Mapping[str, Any], dotted: str) -> Column:
    for problem in _problems(content):
        raise edited(path, problem, where=f"column {dotted}")
    precise = "precision" in content
    return Column(
        name=content["name"],
        type=Type(content["type"]),
        mode=Mode(content["mode"]),
        description=content.get("description", ""),
        policy_tags=tuple(content.get("policyTags", {}).get("names", ())),
        precision=int(content["precision"]) if precise else None,
        scale=int(content.get("scale", 0)) if precise else None,
        python_type=None,
        fields=_columns(path, content["fields"], dotted) if "fields" in content else (),
    )


def _problems(content: Mapping[str, Any]) -> Iterator[str]:
    column_type, mode = content.get("type"), content.get("mode")
    if column_type not in _TYPES:
        upper = str(column_type).upper()
        canonical = _ALIASES.get(upper, upper)
        yield f"its type is {shown(column_type)}" + (f", not {canonical}" if canonical in _TYPES else "")
    if mode not in _MODES:
        yield f"its mode is {shown(mode)}, not {', '.join(_MODES)}"
    if ("fields" in content) != (column_type == Type.RECORD):
        yield f"its type is {column_type}, and it has {'' if 'fields' in content else 'no '}columns"
    for key, value in content.items():
        if key not in _LEGAL:
            yield f"it has {shown(key)}"
        elif not _LEGAL[key](value):
            yield f"its {key} is {shown(value)}"
    if "scale" in content and "precision" not in content:
        yield "it has a scale and no precision"
    if "precision" in content and column_type not in (Type.NUMERIC, Type.BIGNUMERIC):
        yield f"its type is {column_type}, and it has a precision"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: object) -> bool:
    # As the API answers an int64.
    return isinstance(value, str) and value.isascii() and value.isdigit() and value == str(int(value[:9]))


def _is_policy_tags(value: object) -> bool:
    names = value["names"] if isinstance(value, dict) and value.keys() == {"names"} else None
    return isinstance(names, list) and names != [] and all(_is_text(name) for name in names)


_LEGAL: Mapping[str, Callable[[object], bool]] = {
    "name": _is_text,
    "type": _is_text,
    "mode": _is_text,
    "description": _is_text,
    "policyTags": _is_policy_tags,
    "precision": _is_number,
    "scale": _is_number,
    "fields": lambda value: isinstance(value, list),
}
"""The keys that codegen writes, and whether it would write this value."""
