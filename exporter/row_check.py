"""A row → nothing, or the first of its values that BigQuery would refuse, by its way into RECORDs and lists.

The slow, exact side of validation: batches are checked whole, and only a batch that fails is looked at row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exporter.annotations import Mode, Type
from exporter.refused_values import ValueRefusedError, wrong_type
from exporter.values import convert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.schema import Column


def check_row(columns: Iterable[Column], row: object) -> None:
    """Raise ValueRefusedError for the first value that BigQuery would refuse."""
    for column in columns:
        _check(column, column.name, getattr(row, column.name))


def _check(column: Column, path: str, value: Any) -> None:
    if column.mode is Mode.REPEATED:
        if not isinstance(value, (list, tuple)):
            remedy = "BigQuery has no NULL list: yield an empty list." if value is None else "Yield a list or a tuple."
            raise wrong_type(path, value, "a list", remedy)
        for position, element in enumerate(value):
            if element is None:
                raise ValueRefusedError(
                    f"{path}[{position}]", "None in a list, where BigQuery has no NULL.", "Leave it out of the list."
                )
            _check_one(column, f"{path}[{position}]", element)
    elif value is not None:
        _check_one(column, path, value)
    elif column.mode is Mode.REQUIRED:
        raise ValueRefusedError(
            path,
            "None in a REQUIRED column.",
            "Yield a value, in a QuerySet Coalesce(…), or annotate the field with `| None` and apply Terraform.",
        )


def _check_one(column: Column, path: str, value: Any) -> None:
    if column.type is not Type.RECORD:
        convert(column, value, path)
        return
    if not isinstance(value, column.python_type):
        name = column.python_type.__name__
        raise wrong_type(path, value, f"an instance of {name}", f"Yield {name}(…).")
    for field in column.fields:
        _check(field, f"{path}.{field.name}", getattr(value, field.name))
