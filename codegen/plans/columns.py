"""A table's schema before and after → what becomes of each column, as the provider and BigQuery compare them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from codegen.plans.column_types import (
    SIZES,
    Column,
    canonical_type,
    described_type,
    fields_of,
    holds,
    mode_of,
    sized_type,
    sizes_of,
    type_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_THE_TYPE = {"rangeElementType", "timestampPrecision"}
_COMPARED = {"name", "type", "mode", "fields", "description", "policyTags", *SIZES}


class Kind(Enum):
    """What becomes of a column. `respelled`: the same to BigQuery, but not to the provider."""

    added = auto()
    added_required = auto()
    added_again = auto()
    dropped = auto()
    retyped = auto()
    respelled = auto()
    relaxed = auto()
    tightened = auto()
    widened = auto()
    narrowed = auto()
    described = auto()
    tagged = auto()
    untagged = auto()
    changed = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """`path` is dotted. `before` and `after` are in BigQuery's words; of what comes or goes one is empty."""

    kind: Kind
    path: str
    attribute: str = ""
    """Of a column that is `changed`: what of it."""
    before: str = ""
    after: str = ""
    description: str = ""
    """Of a new column."""


class SchemaError(ValueError):
    """A schema that is not a list of columns."""


def columns_of(schema: object) -> list[Column]:
    """Raises SchemaError."""
    try:
        parsed = json.loads(schema) if isinstance(schema, str) and schema else schema
    except (ValueError, RecursionError) as error:
        raise SchemaError("it is not JSON") from error
    # The API's empty schema reads "null".
    columns: Any = [] if parsed is None or parsed == "" else parsed
    _check(columns)
    return list(columns)


def column_changes(before: list[Column], after: list[Column], parent: str = "") -> Iterator[ColumnChange]:
    """By name, exactly; the order of columns means nothing. A RECORD that comes or goes does so with its fields."""
    old, new = ({column["name"]: column for column in columns} for columns in (before, after))
    for name, column in old.items():
        if name not in new:
            yield ColumnChange(kind=Kind.dropped, path=parent + name, before=described_type(column))
    for name, column in new.items():
        if name in old:
            yield from _changes_of_one(parent + name, old[name], column)
        else:
            kind = Kind.added_required if mode_of(column) == "REQUIRED" else Kind.added
            if any(name.lower() == other.lower() for other in new if other != name):
                kind = Kind.added_again
            description = str(column.get("description") or "")
            yield ColumnChange(kind=kind, path=parent + name, after=described_type(column), description=description)


def _check(columns: object) -> None:
    if not isinstance(columns, list):
        raise SchemaError("it is not a list of columns")
    for column in columns:
        if not isinstance(column, dict) or not isinstance(column.get("name"), str):
            raise SchemaError("a column of it has no name")
        _check(column.get("fields") or [])


def _changes_of_one(path: str, old: Column, new: Column) -> Iterator[ColumnChange]:
    # The service rewrites type and fields of a foreign type; the provider looks away too.
    if "foreignTypeDefinition" not in {*old, *new}:
        yield from _type_changes(path, old, new)
    modes = mode_of(old), mode_of(new)
    if modes[0] != modes[1]:
        kind = Kind.relaxed if modes == ("REQUIRED", "NULLABLE") else Kind.tightened
        yield ColumnChange(kind=kind, path=path, before=modes[0], after=modes[1])
    texts = [str(column.get("description") or "") for column in (old, new)]
    if texts[0] != texts[1]:
        yield ColumnChange(kind=Kind.described, path=path, before=texts[0], after=texts[1])
    tags = [_policy_tags(column) for column in (old, new)]
    if tags[0] != tags[1]:
        is_lost = set(tags[0]) - set(tags[1])
        before, after = (", ".join(names) for names in tags)
        yield ColumnChange(kind=Kind.untagged if is_lost else Kind.tagged, path=path, before=before, after=after)
    for key in sorted({*old, *new} - _COMPARED):
        is_inherited = key == "collation" and key not in new
        if (old.get(key) or None) != (new.get(key) or None) and not is_inherited:
            before, after = (_shown(column.get(key)) for column in (old, new))
            kind = Kind.retyped if key in _OF_THE_TYPE else Kind.changed
            yield ColumnChange(kind=kind, path=path, attribute=key, before=before, after=after)


def _type_changes(path: str, old: Column, new: Column) -> Iterator[ColumnChange]:
    before, after = sized_type(old), sized_type(new)
    if canonical_type(old) != canonical_type(new):
        # Fields that go with a RECORD need no mention of their own.
        yield ColumnChange(kind=Kind.retyped, path=path, before=before, after=after)
        return
    if type_of(old) != type_of(new):
        yield ColumnChange(kind=Kind.respelled, path=path, before=type_of(old), after=type_of(new))
    if sizes_of(old) != sizes_of(new):
        kind = Kind.widened if holds(new, old) else Kind.narrowed
        yield ColumnChange(kind=kind, path=path, before=before, after=after)
    yield from column_changes(fields_of(old), fields_of(new), f"{path}.")


def _policy_tags(column: Column) -> tuple[str, ...]:
    tags = column.get("policyTags")
    names = tags.get("names") if isinstance(tags, dict) else None
    return tuple(sorted(str(name) for name in names)) if isinstance(names, list) else ()


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
