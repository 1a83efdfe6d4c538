"""A QuerySet → the SQL that reads it, and what Django makes of each value that the database gives."""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, FieldError
from django.db.models import Field, JSONField
from django.db.models.expressions import BaseExpression, Col
from django.db.models.fields.related import ForeignKey
from django.db.models.functions.datetime import TruncBase
from django.db.models.sql.where import WhereNode

from exporter.ranges import range_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.ranges import Range
    from exporter.schema import Column
    from exporter.selection import Selection


class RowsNeededError(Exception):
    """Only the rows of Python's tell what is right, or what is wrong: nothing, or not all, can be read without them."""

    def __init__(self, reason: object, *, anew: bool = False) -> None:
        """`anew`: in another transaction, this one is of no use any more."""
        self.anew = anew
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One column of a result."""

    column: Column
    kind: str
    """Of the field that Django takes it for: `CharField`, also of those derived from it."""
    stored: bool
    """A column of a table. Of all others Django converts numbers: `int(value)`, `float(value)`, `Decimal(value)`."""
    digits: tuple[int, int] | None
    """Of a DecimalField in a table: in all, and after the point."""
    convert: Callable[[Any], Any]
    """What Django does to a value that is as the driver gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`sql` has Django's placeholders."""

    sql: str
    params: tuple[Any, ...]
    selected: tuple[Selected, ...]
    """In the order of the result."""
    names: tuple[str, ...]
    expressions: tuple[Any, ...]
    """Django's: what `selected` was made of."""
    range: Range | None


def statement(
    selection: Selection, columns: Sequence[Column], connection: BaseDatabaseWrapper, before: Statement | None
) -> Statement | None:
    """None: there are no rows, and no need to ask. `before`: that of another day, which mostly selects the same.

    Raises RowsNeededError: converters that are not Django's.
    """
    compiler = selection.queryset.query.get_compiler(using=connection.alias)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None
    if compiler.has_extra_select:
        raise RowsNeededError("it is ordered by what it does not select")
    expressions = tuple(expression for expression, _, _ in compiler.select)
    if before is not None and before.names == selection.names and _are_alike(before.expressions, expressions):
        selected, expressions = before.selected, before.expressions
        its = before.range if sql == before.sql else range_of(compiler, sql, params)
    else:
        its = range_of(compiler, sql, params)
        by_name = {column.name: column for column in columns}
        selected = tuple(
            _selected(by_name[name], expression, connection)
            for name, expression in zip(selection.names, expressions, strict=True)
        )
    return Statement(
        sql=sql, params=tuple(params), selected=selected, names=selection.names, expressions=expressions, range=its
    )


def _are_alike(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    """Whether Django treats their values alike. To compare columns by what they are made of takes it long."""
    return len(before) == len(now) and all(
        one.target is other.target and one.output_field is other.output_field
        if type(one) is type(other) is Col
        else one == other and _types(one) == _types(other)
        for one, other in zip(before, now, strict=True)
    )


def _types(expression: Any) -> list[tuple[type, ...]]:
    """To Django and to Python 1 is the same as True."""
    parts = expression.flatten() if hasattr(expression, "flatten") else [expression]
    return [(type(part), type(getattr(part, "value", None)), _field_type(part)) for part in parts]


def _field_type(expression: Any) -> type:
    with suppress(FieldError):  # the parts of a condition or of an order are of several
        return type(getattr(expression, "output_field", None))
    return type(None)


def _selected(column: Column, expression: Any, connection: BaseDatabaseWrapper) -> Selected:
    field = expression.output_field
    if not _known(expression, field):
        raise RowsNeededError(f"{column.name} has converters of its own ({type(field).__name__})")
    converters = [*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)]

    def convert(value: Any) -> Any:
        for converter in converters:
            value = converter(value, expression, connection)
        return value

    kind = (field.target_field if isinstance(field, ForeignKey) else field).get_internal_type()
    stored = isinstance(expression, Col)
    digits = (field.max_digits, field.decimal_places) if stored and kind == "DecimalField" else None
    return Selected(column=column, kind=kind, stored=stored, digits=digits, convert=convert)


def _known(expression: Any, field: Any) -> bool:
    """Whether all that is done to its values is done by Django itself, and by what is looked at here."""
    if type(field) is not JSONField and hasattr(field, "from_db_value"):
        return False
    if getattr(field, "db_persist", None) is False:  # generated as it is read, by functions that SQLite may lack
        return False
    if type(field).get_db_converters not in {Field.get_db_converters, ForeignKey.get_db_converters}:
        return False
    converters = type(expression).get_db_converters
    if converters is Col.get_db_converters:
        return expression.target == field or not hasattr(expression.target, "from_db_value")
    if converters is not BaseExpression.get_db_converters:
        return converters is WhereNode.get_db_converters
    own = inspect.getattr_static(type(expression), "convert_value")
    # Trunc's makes dates of datetimes, where a database has nothing else. These two have.
    truncated = own is inspect.getattr_static(TruncBase, "convert_value") and field.get_internal_type() == "DateField"
    return type(field) is not JSONField and (
        truncated or own is inspect.getattr_static(BaseExpression, "convert_value")
    )
