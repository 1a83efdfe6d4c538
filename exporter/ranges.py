"""The SQL of a day, read between two instants of one column → the SQL of several days in a row, if it is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from django.db.models import Func, Subquery
from django.db.models.expressions import Col, RawSQL, Ref
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.db.models.sql.where import AND, WhereNode

from exporter.values import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models.sql.compiler import SQLCompiler

    from exporter.statements import Statement

_WRITTEN = frozenset({bytes, date, datetime, Decimal, float, str, time, timedelta, type(None), UUID})
"""Types whose `repr` tells all of a value."""
_OWN_SQL = frozenset({"arg_joiner", "function", "template"})
"""What a team can give a function of Django's, https://docs.djangoproject.com/en/stable/ref/models/expressions/#func-expressions"""

Key: TypeAlias = bytes | int
"""An instant as a driver reads it, and as the database orders it: text of SQLite's, microseconds of PostgreSQL's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """`column >= lower AND column < upper`, and nothing else in the SQL depends on them."""

    sql: str
    """In the order of the column, which is that of the days."""
    column: int
    """Its place in the result."""
    lower: int
    upper: int
    """The places of the two parameters."""
    key: Callable[[Any], Key | None]
    """Of a parameter; None: not as Django binds a datetime."""


def range_of(compiler: SQLCompiler, sql: str, params: Sequence[Any]) -> Range | None:
    """None where rows of several days, read at once, could be others than those of each. After `compiler.as_sql()`."""
    query = compiler.query
    if (
        query.group_by is not None
        or query.distinct
        or query.is_sliced
        or query.combinator
        or query.select_for_update
        or query.where.contains_over_clause
        or not all(_is_of_its_row(expression) for expression, _, _ in compiler.select)
    ):
        return None
    found = _bounds(query.where)
    if found is None:
        return None
    column: Any = found[0].lhs
    selected = [expression for expression, _, _ in compiler.select]
    ordered = _in_order_of(column, compiler, sql)
    bounds = [_param(lookup, compiler) for lookup in found]
    key = _KEYS.get(compiler.connection.vendor)
    if key is None or ordered is None or column not in selected or any(params.count(bound) != 1 for bound in bounds):
        return None
    return Range(
        sql=ordered,
        column=selected.index(column),
        lower=params.index(bounds[0]),
        upper=params.index(bounds[1]),
        key=key,
    )


def follows(before: Statement, now: Statement) -> bool:
    """Whether the range of `now` begins where that of `before` ends, and all else is the same."""
    its = now.range
    if its is None or its is not before.range:
        return False
    keys: list[Any] = [its.key(one.params[place]) for one in (before, now) for place in (its.lower, its.upper)]
    if None in keys or keys[1] != keys[2] or keys != sorted(keys):
        return False
    return all(
        place in {its.lower, its.upper} or _are_alike(one, other)
        for place, (one, other) in enumerate(zip(before.params, now.params, strict=True))
    )


def _are_alike(one: Any, other: Any) -> bool:
    """Whether a database is sent the same: that is more than `==` compares. -0.0, 1.00, the second of two midnights."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_are_alike, one, other))
    if isinstance(one, int):  # of psycopg's, mostly
        return int(one) == int(other)
    return type(one) in _WRITTEN and repr(one) == repr(other)


def joined_statement(statements: Sequence[Statement]) -> Statement:
    """Of days that follow each other: the rows of all, one day after the other."""
    first, its = statements[0], statements[0].range
    if its is None or len(statements) == 1:
        return first
    params = list(first.params)
    params[its.upper] = statements[-1].params[its.upper]
    return replace(first, sql=its.sql, params=tuple(params))


def end_of(statement: Statement) -> Key:
    """Of its range, exclusive. Raises ValueError: it has none."""
    its = range_in(statement)
    key = its.key(statement.params[its.upper])
    if key is None:
        raise ValueError(f"no range: {statement.sql}")
    return key


def range_in(statement: Statement) -> Range:
    """Raises ValueError: it has none."""
    if statement.range is None:
        raise ValueError(f"no range: {statement.sql}")
    return statement.range


def _bounds(where: WhereNode) -> tuple[GreaterThanOrEqual[Any], LessThan[Any]] | None:
    """Those of a column of datetimes, if it is the only one."""
    lookups = [
        lookup
        for lookup in _all_true(where)
        if isinstance(lookup.lhs, Col) and lookup.lhs.target.get_internal_type() == "DateTimeField"
    ]
    lower = [lookup for lookup in lookups if type(lookup) is GreaterThanOrEqual]
    upper = [lookup for lookup in lookups if type(lookup) is LessThan]
    if len(lower) != 1 or len(upper) != 1 or lower[0].lhs != upper[0].lhs:
        return None
    return (lower[0], upper[0]) if lower[0].rhs_is_direct_value() and upper[0].rhs_is_direct_value() else None


def _all_true(where: WhereNode) -> Iterator[Any]:
    """The conditions that each row fulfils."""
    if where.negated or where.connector != AND:
        return
    for child in where.children:
        if isinstance(child, WhereNode):
            yield from _all_true(child)
        elif hasattr(child, "lhs"):
            yield child


def _param(lookup: Any, compiler: SQLCompiler) -> Any:
    """What the lookup binds."""
    _, (param,) = lookup.process_rhs(compiler, compiler.connection)
    return param


def _is_of_its_row(expression: Any) -> bool:
    """Whether its value depends on nothing but its row: what Django knows of SQL tells it."""
    return (
        type(expression).__module__.startswith("django.db.models.")
        and type(expression) not in {Func, RawSQL}
        and _OWN_SQL.isdisjoint(getattr(expression, "extra", ()))
        and not isinstance(expression, Subquery)
        and not expression.contains_aggregate
        and not expression.contains_over_clause
        and all(_is_of_its_row(source) for source in expression.get_source_expressions() if source is not None)
    )


def _in_order_of(column: Col, compiler: SQLCompiler, sql: str) -> str | None:
    """None: in another order."""
    order = compiler.get_order_by()
    if not order:
        text, _ = compiler.compile(column)
        return f"{sql} ORDER BY {text}"
    first: Any = order[0][0]
    (source,) = first.expression.get_source_expressions() if isinstance(first.expression, Ref) else [first.expression]
    return sql if source == column and not first.descending else None


def _text(instant: object) -> bytes | None:
    return instant.encode() if type(instant) is str else None


def _microseconds(instant: object) -> int | None:
    if type(instant) is not datetime or instant.tzinfo is None:
        return None
    return microseconds(instant)


_KEYS: dict[str, Callable[[Any], Key | None]] = {"sqlite": _text, "postgresql": _microseconds}
