"""The SQL of a day, read between two instants of one column → the SQL of several days in a row, if it is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db.models import Func, Subquery
from django.db.models.expressions import Col, RawSQL, Ref
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.db.models.sql.where import AND, WhereNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models.sql.compiler import SQLCompiler

    from exporter.statements import Statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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
    key: Callable[[Any], Key]


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
    if its is None or its is not before.range or now.params[its.lower] != before.params[its.upper]:
        return False
    return all(
        place in {its.lower, its.upper} or (type(one) is type(other) and one == other)
        for place, (one, other) in enumerate(zip(before.params, now.params, strict=True))
    )


def joined_statement(statements: Sequence[Statement]) -> Statement:
    """Of days that follow each other: the rows of all, one day after the other."""
    first, its = statements[0], statements[0].range
    if its is None or len(statements) == 1:
        return first
    params = list(first.params)
    params[its.upper] = statements[-1].params[its.upper]
    return replace(first, sql=its.sql, params=tuple(params))


def end_of(statement: Statement) -> Key:
    """Of its range, exclusive."""
    its = range_in(statement)
    return its.key(statement.params[its.upper])


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


def _text(instant: str) -> bytes:
    return instant.encode()


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


_KEYS: dict[str, Callable[[Any], Key]] = {"sqlite": _text, "postgresql": _microseconds}
