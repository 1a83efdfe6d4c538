"""BigQuery's columns → the Arrow types it takes for them, and the DuckDB types that keep them here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

_CANONICAL = {"BOOL": "BOOLEAN", "FLOAT64": "FLOAT", "INT64": "INTEGER", "STRUCT": "RECORD"}

# https://cloud.google.com/bigquery/docs/supported-data-types#supported_arrow_data_types
ARROW_TYPES: Mapping[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.decimal256(76, 38),
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "TIME": pa.time64("us"),
    "JSON": pa.string(),
}

# DuckDB has no number of 76 digits. As text, in a struct of this one field, it keeps its digits and is told from text.
BIGNUMERIC_FIELD = "bignumeric"
DUCKDB_TYPES: Mapping[str, str] = {
    "BOOLEAN": "BOOLEAN",
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "NUMERIC": "DECIMAL(38, 9)",
    "BIGNUMERIC": f"STRUCT({BIGNUMERIC_FIELD} VARCHAR)",
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMPTZ",
    "TIME": "TIME",
    "JSON": "JSON",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, or one field of a RECORD. `type` is canonical, as the API answers it."""

    name: str
    type: str
    mode: str
    precision: int | None
    scale: int | None
    fields: tuple[Column, ...]

    @classmethod
    def from_rest(cls, field: Mapping[str, Any]) -> Self:
        kind = _CANONICAL.get(field["type"], field["type"])
        return cls(
            name=field["name"],
            type=kind,
            mode=field.get("mode", "NULLABLE"),
            precision=int(field["precision"]) if "precision" in field else None,
            scale=int(field.get("scale", 0)) if "precision" in field else None,
            fields=tuple(cls.from_rest(nested) for nested in field.get("fields", ())),
        )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def duckdb_definition(column: Column) -> str:
    """`"name" TYPE …` of CREATE TABLE."""
    definition = f"{quoted(column.name)} {_duckdb_type(column)}"
    if column.mode == "REPEATED":
        return f"{definition} DEFAULT []"  # BigQuery has no NULL list
    return f"{definition} NOT NULL" if column.mode == "REQUIRED" else definition


def _duckdb_type(column: Column) -> str:
    if column.type == "RECORD":
        one = f"STRUCT({', '.join(f'{quoted(field.name)} {_duckdb_type(field)}' for field in column.fields)})"
    else:
        one = DUCKDB_TYPES[column.type]
    return f"{one}[]" if column.mode == "REPEATED" else one
