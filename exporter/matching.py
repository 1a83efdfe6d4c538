"""A table's columns in the dataclass and in BigQuery → errors that stop an export, and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.annotations import Mode, Type
from exporter.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.metadata import Field
    from exporter.schema import Column


_ALIASES = {
    "BOOL": Type.BOOLEAN,
    "INT64": Type.INTEGER,
    "FLOAT64": Type.FLOAT,
    "STRUCT": Type.RECORD,
    "DECIMAL": Type.NUMERIC,
    "BIGDECIMAL": Type.BIGNUMERIC,
}
# It asked whether bool is an int and datetime a date: they are.
_MADE_BY_SMOLQWERY = {Type.BOOLEAN: Type.INTEGER, Type.TIMESTAMP: Type.DATE}
_APPLY = "Run `make codegen` and apply Terraform, or deploy the code that fits the table."


def match_columns(table: str, columns: Iterable[Column], fields: Iterable[Field]) -> list[str]:
    """Notices: columns that BigQuery has and the dataclass has not, which stay NULL.

    Raises TableError for the first column that is missing, of another type, stricter than the dataclass, or REQUIRED
    and unknown to it; for all at once that only a new table mends. A looser mode in BigQuery is fine: tables change
    first, code second.
    """
    columns, fields = tuple(columns), tuple(fields)
    _refuse_smolqwerys(table, columns, fields)
    return list(_match(table, columns, fields, path=""))


def _refuse_smolqwerys(table: str, columns: Iterable[Column], fields: Iterable[Field]) -> None:
    found = {field.name.lower(): _actual_type(field) for field in fields}
    wrong = [
        column
        for column in columns
        if column.type in _MADE_BY_SMOLQWERY and found.get(column.name.lower()) == _MADE_BY_SMOLQWERY[column.type]
    ]
    if wrong:
        raise TableError(
            location=f"{table}, column{'s' if len(wrong) > 1 else ''} {', '.join(column.name for column in wrong)}",
            problem=f"{', '.join(_MADE_BY_SMOLQWERY[column.type] for column in wrong)} in BigQuery, as smolqwery makes "
            f"bool and datetime; the dataclass has {', '.join(column.type for column in wrong)}.",
            remedy="BigQuery does not change a column's type. Export into a new table: a new dataclass name, or "
            "get_table_name(), gives one.",
        )


def _match(table: str, columns: Iterable[Column], fields: Iterable[Field], path: str) -> Iterable[str]:
    found = {field.name.lower(): field for field in fields}
    for column in columns:
        where, name = f"{table}, column {path}{column.name}", column.name.lower()
        field = found.pop(name, None)
        if field is None:
            raise TableError(
                location=where, problem=f"not in BigQuery; the dataclass has it as {_written(column)}.", remedy=_APPLY
            )
        if problem := _problem(column, field):
            raise TableError(location=where, problem=f"{problem}; the dataclass has {_written(column)}.", remedy=_APPLY)
        yield from _match(table, column.fields, field.fields, f"{path}{column.name}.")
    for field in found.values():
        where = f"{table}, column {path}{field.name}"
        if field.mode == Mode.REQUIRED:
            raise TableError(
                location=where,
                problem=f"REQUIRED {field.type} in BigQuery, and the dataclass does not have it.",
                remedy="Add the field to the dataclass, or make the column NULLABLE with Terraform.",
            )
        yield f"{where}: only in BigQuery, it stays {'empty' if field.mode == Mode.REPEATED else 'NULL'}."


def _problem(column: Column, field: Field) -> str | None:
    actual = _actual_type(field)
    mode = field.mode
    stricter = mode == Mode.REQUIRED and column.mode is Mode.NULLABLE
    if actual != column.type or stricter or (mode == Mode.REPEATED) != (column.mode is Mode.REPEATED):
        return f"{mode} {actual} in BigQuery"
    if field.precision is not None:
        scale = field.scale or 0
        whole = field.precision - scale
        ours = (9, 29) if column.precision is None else (column.scale or 0, column.precision - (column.scale or 0))
        if ours[0] > scale or ours[1] > whole:
            return f"{actual}({field.precision}, {scale}) in BigQuery"
    return None


def _actual_type(field: Field) -> str:
    return _ALIASES.get(field.type.upper(), field.type.upper())


def _written(column: Column) -> str:
    digits = f"({column.precision}, {column.scale})" if column.precision is not None else ""
    return f"{column.mode} {column.type}{digits}"
