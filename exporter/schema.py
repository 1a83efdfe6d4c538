"""Row dataclass → BigQuery columns."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from dataclasses import dataclass
from typing import Any

from exporter.annotations import Mode, Type, mode_of, type_of
from exporter.errors import SchemaError
from exporter.field_options import with_options
from exporter.names import column_name_problem

if typing.TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_DEPTH = 15  # https://cloud.google.com/bigquery/docs/nested-repeated#limitations


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One BigQuery column, in BigQuery's words."""

    name: str
    type: Type
    mode: Mode
    description: str = ""
    policy_tags: tuple[str, ...] = ()
    precision: int | None = None
    """Digits in all of a NUMERIC or BIGNUMERIC; None: as many as the type has."""
    scale: int | None = None
    """Digits after the point, of `precision`."""
    differentiate: bool = False
    allow_nan: bool = False
    python_type: Any
    """What one value is in Python: the annotation without Optional and list."""
    choices: tuple[str, ...] = ()
    """The values of a Literal; empty: any."""
    fields: tuple[Column, ...] = ()
    """The columns of a RECORD."""


def columns_of(row_class: type, *, _outer: tuple[type, ...] = ()) -> tuple[Column, ...]:
    """The columns of a dataclass, in the order of its fields.

    Raises SchemaError: not a dataclass, an annotation without a BigQuery type, a name BigQuery would refuse.
    """
    path = _path(row_class)
    if not (isinstance(row_class, type) and dataclasses.is_dataclass(row_class)):
        raise SchemaError(location=path, problem="not a dataclass.", remedy="Decorate it with @dataclass.")
    if "__dataclass_fields__" not in vars(row_class) and inspect.get_annotations(row_class):
        raise SchemaError(
            location=path,
            problem="annotates fields that its base class, which is a dataclass, does not know.",
            remedy="Decorate it with @dataclass too.",
        )
    if row_class in _outer:
        raise SchemaError(
            location=path,
            problem="contains itself, and a RECORD cannot.",
            remedy="Flatten it, or keep the inner part as JSON in a column of type dict.",
        )
    if len(_outer) > _MAX_DEPTH:
        raise SchemaError(
            location=path,
            problem=f"nested more than {_MAX_DEPTH} levels deep, which BigQuery refuses.",
            remedy="Flatten it, or keep the inner part as JSON in a column of type dict.",
        )
    try:
        hints = typing.get_type_hints(row_class, include_extras=True)
    except Exception as error:
        raise SchemaError(
            location=path,
            problem=f"its annotations cannot be resolved: {error}.",
            remedy="Import the named types in the module where the dataclass is defined.",
        ) from error
    columns = tuple(_column(row_class, field, hints[field.name], _outer) for field in dataclasses.fields(row_class))
    if not columns:
        raise SchemaError(location=path, problem="has no fields.", remedy="Give it at least one annotated field.")
    refuse_duplicates(path, columns)
    return columns


def refuse_duplicates(path: str, columns: Iterable[Column]) -> None:
    """BigQuery's column names differ by more than case."""
    seen: dict[str, str] = {}
    for column in columns:
        other = seen.setdefault(column.name.lower(), column.name)
        if other is not column.name:
            raise SchemaError(
                location=f"{path}.{column.name}",
                problem=f"BigQuery takes {other!r} and {column.name!r} for one column.",
                remedy="Rename one of them.",
            )


def _column(row_class: type, field: dataclasses.Field[Any], annotation: Any, outer: tuple[type, ...]) -> Column:
    path = f"{_path(row_class)}.{field.name}"
    if problem := column_name_problem(field.name):
        raise SchemaError(location=path, problem=f"{problem}.", remedy="Rename the field.")
    annotation, mode = mode_of(path, annotation)
    python_type, column_type, choices = type_of(path, annotation)
    fields = columns_of(python_type, _outer=(*outer, row_class)) if column_type is Type.RECORD else ()
    column = Column(
        name=field.name, type=column_type, mode=mode, python_type=python_type, choices=choices, fields=fields
    )
    return with_options(path, column, field, nested=bool(outer))


def _path(row_class: Any) -> str:
    if isinstance(row_class, type):
        return f"{row_class.__module__}.{row_class.__qualname__}"
    return repr(row_class)
