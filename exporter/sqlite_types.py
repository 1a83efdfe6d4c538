"""What Django takes a column of SQLite for → the need for rows, where its driver takes it for something else.

Python's driver converts values by the type that their column is declared with, ADBC's goes by what it finds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import ExpressionWrapper, Subquery
from django.db.models.expressions import Col, RawSQL

from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.statements import Statement

CONVERTERS = frozenset({"BOOL", "DATE", "DATETIME", "TIME", "TIMESTAMP"})
"""That Django has registered, by the first word of a declared type."""

_BARE = re.compile(r"[\w\s\"().]*")
"""SQL that may be no more than a column."""


def require_declared(statement: Statement, connection: BaseDatabaseWrapper) -> None:
    """Raises RowsNeededError: a column of the result has another declared type than its field."""
    for name, expression in zip(statement.names, statement.expressions, strict=True):
        inner = expression
        while isinstance(inner, ExpressionWrapper):  # no more than what it wraps, in SQL
            inner = inner.expression
        if isinstance(inner, RawSQL) and _BARE.fullmatch(inner.sql):
            raise RowsNeededError(f"column {name}: its type is not known")
        if not isinstance(inner, (Col, Subquery)):
            continue  # of other expressions the driver knows no type
        declared, field = _declared(inner, connection), expression.output_field
        if _first_word(declared) != _first_word(field.db_type(connection)):
            raise RowsNeededError(
                f"column {name}: {declared or 'nothing'}, which Django takes for {type(field).__name__}"
            )


def _declared(expression: Any, connection: BaseDatabaseWrapper) -> str | None:
    if isinstance(expression, Subquery):
        its: str | None = expression.query.output_field.db_type(connection)
        return its
    table = connection.ops.quote_name(expression.target.model._meta.db_table)  # noqa: SLF001 - public, https://docs.djangoproject.com/en/stable/ref/models/meta/
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA table_xinfo({table})")
        types = {name: its for _, name, its, *_ in cursor.fetchall()}
    declared: str | None = types.get(expression.target.column)
    return declared


def _first_word(declared: str | None) -> str:
    """Of a type: what it is to Python's driver, and how SQLite keeps its values."""
    return re.split(r"[ (]", declared or "", maxsplit=1)[0].upper()
