"""What Django takes a column of SQLite for → the need for rows, where its driver takes it for something else.

Python's driver converts values by the type that their column is declared with, ADBC's goes by what it finds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    tables: dict[str, dict[str, str]] = {}
    for name, expression in zip(statement.names, statement.expressions, strict=True):
        inner = expression
        while isinstance(inner, ExpressionWrapper):  # no more than what it wraps, in SQL
            inner = inner.expression
        declared: str | None
        if isinstance(inner, Col):
            table = inner.target.model._meta.db_table  # noqa: SLF001 - public, https://docs.djangoproject.com/en/stable/ref/models/meta/
            if table not in tables:
                tables[table] = _declared(table, connection)
            declared = tables[table].get(str(inner.target.column))
        elif isinstance(inner, Subquery):
            declared = inner.query.output_field.db_type(connection)
        elif isinstance(inner, RawSQL) and _BARE.fullmatch(inner.sql):
            raise RowsNeededError(f"column {name}: its type is not known")
        else:
            continue  # of other expressions the driver knows no type
        field = expression.output_field
        if _first_word(declared) != _first_word(field.db_type(connection)):
            raise RowsNeededError(
                f"column {name}: {declared or 'nothing'}, which Django takes for {type(field).__name__}"
            )


def _declared(table: str, connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The types of its columns, also of generated ones."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA table_xinfo({connection.ops.quote_name(table)})")
        return {name: declared for _, name, declared, *_ in cursor.fetchall()}


def _first_word(declared: str | None) -> str:
    """Of a type: what it is to Python's driver, and how SQLite keeps its values."""
    return re.split(r"[ (]", declared or "", maxsplit=1)[0].upper()
