"""What Django takes a column of SQLite for → the need for rows, where its driver takes it for something else.

Python's driver converts values by the type that their column is declared with, ADBC's goes by what it finds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, ExpressionWrapper, Subquery
from django.db.models.expressions import Col, RawSQL

from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.statements import Statement

CONVERTERS = frozenset({"BOOL", "DATE", "DATETIME", "TIME", "TIMESTAMP"})
"""That Django has registered, by the first word of a declared type."""

_AFFINITIES = (
    ("INT", "INTEGER"),
    ("CHAR", "TEXT"),
    ("CLOB", "TEXT"),
    ("TEXT", "TEXT"),
    ("BLOB", "BLOB"),
    ("REAL", "REAL"),
    ("FLOA", "REAL"),
    ("DOUB", "REAL"),
)
"""https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""

_BARE = re.compile(r"[\w\s\"().]*")
"""SQL that may be no more than a column."""


def require_declared(statement: Statement, connection: BaseDatabaseWrapper, tables: dict[str, dict[str, str]]) -> None:
    """Raises RowsNeededError: a column of the result has another declared type than its field.

    `tables` keeps what was asked for: the declared types of their columns.
    """
    for name, expression in zip(statement.names, statement.expressions, strict=True):
        inner = _column_of(expression)
        if isinstance(inner, RawSQL) and _BARE.fullmatch(inner.sql):
            raise RowsNeededError(f"column {name}: its type is not known")
        if not isinstance(inner, Col):
            continue  # of other expressions the driver knows no type
        table = inner.target.model._meta.db_table  # noqa: SLF001 - public, https://docs.djangoproject.com/en/stable/ref/models/meta/
        if table not in tables:
            tables[table] = _declared(table, connection)
        declared, field = tables[table].get(str(inner.target.column)), expression.output_field
        if declared and _kept_as(declared) != _kept_as(field.db_type(connection)):
            raise RowsNeededError(f"column {name}: {declared}, which Django takes for {type(field).__name__}")


def _column_of(expression: Any) -> Any:
    """What is no more than a column, in SQL."""
    if isinstance(expression, ExpressionWrapper):
        return _column_of(expression.expression)
    if isinstance(expression, Subquery) and not isinstance(expression, Exists):
        query = expression.query
        selected = [*query.select, *query.annotation_select.values()]
        return _column_of(selected[0]) if len(selected) == 1 else expression
    return expression


def _declared(table: str, connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The types of its columns, also of generated ones."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA table_xinfo({connection.ops.quote_name(table)})")
        return {name: declared for _, name, declared, *_ in cursor.fetchall()}


def _kept_as(declared: str | None) -> str:
    """What a declared type is to Python's driver, or else how SQLite keeps its values."""
    word = re.split(r"[ (]", declared or "", maxsplit=1)[0].upper()
    if word in CONVERTERS:
        return word
    return next((affinity for part, affinity in _AFFINITIES if part in (declared or "").upper()), "NUMERIC")
