"""What BigQuery says of a table → a Table of ours; and our Fields → a schema of BigQuery's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from exporter.bigquery_library import bigquery

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table, in BigQuery's words."""

    name: str
    type: str
    mode: str
    precision: int | None
    scale: int | None
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What BigQuery says of a table."""

    table_id: str
    created: datetime
    """Aware, UTC: a table that was dropped and made again is another table."""
    partitioned: bool
    expiration: timedelta | None
    """The age at which BigQuery drops a partition, from its first instant on; None: never."""
    fields: tuple[Field, ...]


def table_of(found: bigquery.Table, table_id: str) -> Table:
    partitioning = found.time_partitioning
    expiration = partitioning.expiration_ms if partitioning else None
    return Table(
        table_id=table_id,
        created=found.created,
        partitioned=partitioning is not None,
        expiration=None if expiration is None else timedelta(milliseconds=expiration),
        fields=tuple(map(_field, found.schema)),
    )


def schema_field(field: Field) -> bigquery.SchemaField:
    digits: dict[str, Any] = {}
    if field.precision is not None:
        digits = {"precision": field.precision, "scale": field.scale or 0}
    fields = tuple(map(schema_field, field.fields))
    return bigquery.SchemaField(field.name, field.type, mode=field.mode, fields=fields, **digits)


def _field(field: bigquery.SchemaField) -> Field:
    return Field(
        name=field.name,
        type=field.field_type,
        mode=field.mode or "NULLABLE",
        precision=field.precision,
        scale=field.scale,
        fields=tuple(map(_field, field.fields)),
    )
