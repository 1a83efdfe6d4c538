"""Schemas as BigQuery keeps them: every attribute of a field, its DuckDB type, which changes a table accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bqemulator.api.routes import tables as routes
from bqemulator.catalog.models import TableFieldSchema
from bqemulator.domain.errors import UnsupportedFeatureError, ValidationError
from bqemulator.storage.type_map import bq_to_duckdb

from emulator.repairs.replace import replaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# BigQuery accepts GoogleSQL's names and answers with the API's.
_API_NAMES = {
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOL": "BOOLEAN",
    "DECIMAL": "NUMERIC",
    "FLOAT64": "FLOAT",
    "INT64": "INTEGER",
    "STRUCT": "RECORD",
}
_NUMBERS = {"maxLength": "max_length", "precision": "precision", "scale": "scale"}
_TEXTS = {
    "collation": "collation",
    "defaultValueExpression": "default_value_expression",
    "roundingMode": "rounding_mode",
}

Fields = tuple[TableFieldSchema, ...]


class Field(TableFieldSchema):
    policy_tags: tuple[str, ...] = ()


def keep_every_attribute() -> None:
    """bqemulator drops these attributes of a field, so Terraform's next plan wants to add them again."""
    parse, to_rest = routes._parse_schema_fields, routes._field_to_rest

    @replaces(routes, "_parse_schema_fields")
    def parse_schema_fields(raw_fields: list[dict[str, Any]]) -> Fields:
        return tuple(_field(plain, raw) for plain, raw in zip(parse(raw_fields), raw_fields, strict=True))

    @replaces(routes, "_field_to_rest")
    def field_to_rest(field: TableFieldSchema) -> dict[str, Any]:
        resource = to_rest(field)
        # The API writes 64-bit numbers as strings.
        resource |= {key: str(value) for key, name in _NUMBERS.items() if (value := getattr(field, name)) is not None}
        resource |= {key: value for key, name in _TEXTS.items() if (value := getattr(field, name)) is not None}
        if names := getattr(field, "policy_tags", ()):
            resource["policyTags"] = {"names": list(names)}
        return resource


def _field(plain: TableFieldSchema, raw: dict[str, Any]) -> Field:
    kind = plain.type.upper()
    attributes = {name: raw[key] for key, name in (_NUMBERS | _TEXTS).items() if key in raw}
    tags = tuple((raw.get("policyTags") or {}).get("names") or ())
    return Field(**dict(plain) | attributes | {"type": _API_NAMES.get(kind, kind), "policy_tags": tags})


def duckdb_columns(fields: Iterable[TableFieldSchema]) -> str:
    return ", ".join(_column(field) for field in fields)


def _column(field: TableFieldSchema) -> str:
    # BigQuery has no NULL list: rows written without the column have an empty one.
    default = " DEFAULT []" if field.mode == "REPEATED" else ""
    return f'"{field.name}" {duckdb_type(field)}{default}'


def duckdb_type(field: TableFieldSchema) -> str:
    if field.type == "BIGNUMERIC":
        # 76 digits; DuckDB's decimals end at 38. bqemulator answers 500, which clients repeat for ten minutes.
        raise UnsupportedFeatureError(f"Column {field.name}: the emulator has no BIGNUMERIC")
    if field.type == "RECORD":
        # With quotes, unlike bqemulator's own: a nested field may be called `order`.
        nested = ", ".join(f'"{inner.name}" {duckdb_type(inner)}' for inner in field.fields)
        base = f"STRUCT({nested})"
    elif field.range_element_type is not None:
        base = bq_to_duckdb(f"RANGE<{field.range_element_type.type}>")
    else:
        base = bq_to_duckdb(field.type)
    return f"{base}[]" if field.mode == "REPEATED" else base


def changed(table: str, old: Fields, new: Fields, path: str = "") -> Fields:
    """`old` with the attributes of `new` and its new columns at the end; or BigQuery's refusal."""
    wanted = {field.name.lower(): field for field in new}
    kept = []
    for before in old:
        name = f"{path}{before.name}"
        after = wanted.pop(before.name.lower(), None)
        if after is None:
            raise _mismatch(table, f"Field {name} is missing in new schema")
        if after.type != before.type:
            raise _mismatch(table, f"Field {name} has changed type from {before.type} to {after.type}")
        if after.mode != before.mode and (before.mode, after.mode) != ("REQUIRED", "NULLABLE"):
            raise _mismatch(table, f"Field {name} has changed mode from {before.mode} to {after.mode}")
        nested = changed(table, before.fields, after.fields, f"{name}.")
        kept.append(after.model_copy(update={"name": before.name, "fields": nested}))
    for field in wanted.values():
        if field.mode == "REQUIRED":
            raise _mismatch(table, f"Cannot add required fields to an existing schema. (field: {path}{field.name})")
    return (*kept, *wanted.values())


def _mismatch(table: str, reason: str) -> ValidationError:
    return ValidationError(f"Provided Schema does not match Table {table}. {reason}")


def alterations(old: Fields, new: Fields) -> Iterator[str]:
    """What follows ALTER TABLE in DuckDB to come from one to the other; a new nested field changes its column's type,
    which DuckDB casts by name, with NULL for what is new.
    """
    types = {field.name: duckdb_type(field) for field in old}
    for field in new:
        if field.name not in types:
            yield f"ADD COLUMN {_column(field)}"
        elif duckdb_type(field) != types[field.name]:
            yield f'ALTER COLUMN "{field.name}" TYPE {duckdb_type(field)}'
