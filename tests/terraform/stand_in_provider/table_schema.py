"""Two schemas as JSON → are they the same table, and can BigQuery get from one to the other in place?"""

from __future__ import annotations

import json
from typing import Any

Column = dict[str, Any]

_ALIASES = {
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
}  # STRUCT, DECIMAL and others are no aliases there
_EMPTY = {"description": "", "policyTags": {"names": []}, "dataGovernanceTagsInfo": {"dataGovernanceTags": {}}}


def columns(schema: str | None) -> list[Column]:
    parsed = json.loads(schema or "[]")
    return parsed or []  # the API's empty schema reads "null"


def normalized(columns_or_json: list[Column] | str) -> str:
    """As the state holds it: sorted keys, no blanks."""
    parsed = json.loads(columns_or_json) if isinstance(columns_or_json, str) else columns_or_json
    return json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_same_schema(old: list[Column], new: list[Column]) -> bool:
    """Regardless of the order of columns, of aliases of types and of ways to say nothing."""
    return len(old) == len(new) and all(
        is_same_column(one, other) for one, other in zip(_by_name(old), _by_name(new), strict=True)
    )


def is_same_column(old: Column, new: Column) -> bool:
    old, new = _canonical(old), _canonical(new)
    if "collation" not in new:
        old.pop("collation", None)  # inherited from the dataset
    old_fields, new_fields = old.pop("fields", None), new.pop("fields", None)
    if (old_fields is None) != (new_fields is None):
        return False
    return old == new and is_same_schema(old_fields or [], new_fields or [])


def is_changeable(old: list[Column], new: list[Column], *, nested: bool = False) -> bool:
    """False makes a table of it that is destroyed and created again.

    A whole column may go, but not in the plan in which another comes: that may be meant as a rename, and loses data.
    """
    before, after = {column["name"]: column for column in old}, {column["name"]: column for column in new}
    added, dropped = after.keys() - before.keys(), before.keys() - after.keys()
    if any(after[name].get("mode") == "REQUIRED" for name in added):
        return False
    if dropped and (nested or added):
        return False
    return all(_is_column_changeable(before[name], after[name]) for name in before.keys() & after.keys())


def _is_column_changeable(old: Column, new: Column) -> bool:
    if _type(old) != _type(new):
        return False
    modes = _mode(old), _mode(new)
    if modes[0] != modes[1] and modes != ("REQUIRED", "NULLABLE"):
        return False
    if "fields" not in old and "fields" not in new:
        return True
    return "fields" in old and "fields" in new and is_changeable(old["fields"], new["fields"], nested=True)


def _canonical(column: Column) -> Column:
    canonical = {key: value for key, value in column.items() if not _is_nothing(key, value)}
    return canonical | {"mode": _mode(column), "type": _type(column)}


def _is_nothing(key: str, value: object) -> bool:
    return key in _EMPTY and (value is None or value in ({}, _EMPTY[key]))


def _mode(column: Column) -> str:
    return str(column.get("mode") or "NULLABLE").upper()


def _type(column: Column) -> str:
    upper = str(column.get("type")).upper()
    return _ALIASES.get(upper, upper)


def _by_name(schema: list[Column]) -> list[Column]:
    return sorted(schema, key=lambda column: str(column["name"]))
