"""What DuckDB answers → rows and schema as getQueryResults has them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from faults.columns import BIGNUMERIC_FIELD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Mapping[str, str] = {
    "BIGINT": "INTEGER",
    "BLOB": "BYTES",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    "HUGEINT": "INTEGER",  # sums and counts; it comes as a decimal
    "INTEGER": "INTEGER",
    "JSON": "JSON",
    "TIME": "TIME",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "TIMESTAMP": "DATETIME",
    "VARCHAR": "STRING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of a SELECT: `fields` and `rows`. Of DML: how many rows it changed."""

    fields: Sequence[Mapping[str, Any]] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    affected: int | None = None


def selected(connection: duckdb.DuckDBPyConnection) -> Result:
    """Of the SELECT that was just executed."""
    fields = [_field(name, kind) for name, kind, *_ in connection.description]
    columns = [column.to_pylist() for column in connection.to_arrow_table().columns]
    return Result(fields=fields, rows=list(zip(*columns, strict=True)))


def rest_rows(result: Result, first: int, last: int) -> list[dict[str, Any]]:
    return [
        {"f": [{"v": _value(field, value)} for field, value in zip(result.fields, row, strict=True)]}
        for row in result.rows[first:last]
    ]


def _field(name: str, kind: Any) -> dict[str, Any]:
    if kind.id == "list":
        return {**_field(name, kind.children[0][1]), "mode": "REPEATED"}
    if kind.id == "struct":
        if [nested for nested, _ in kind.children] == [BIGNUMERIC_FIELD]:
            return {"name": name, "type": "BIGNUMERIC", "mode": "NULLABLE"}
        fields = [_field(nested, nested_kind) for nested, nested_kind in kind.children]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields}
    if kind.id == "decimal":
        return {"name": name, "type": "NUMERIC", "mode": "NULLABLE"}
    return {"name": name, "type": _TYPES[str(kind)], "mode": "NULLABLE"}


def _value(field: Mapping[str, Any], value: Any) -> Any:
    if field["mode"] == "REPEATED":
        one = {**field, "mode": "NULLABLE"}
        return [{"v": _value(one, element)} for element in value or ()]
    if value is None:
        return None
    if field["type"] == "RECORD":
        return {"f": [{"v": _value(nested, value[nested["name"]])} for nested in field["fields"]]}
    return _text(value[BIGNUMERIC_FIELD] if field["type"] == "BIGNUMERIC" else value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return str((value - _EPOCH) // timedelta(microseconds=1))
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
