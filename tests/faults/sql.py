"""GoogleSQL and its query parameters → one statement of DuckDB's, with BigQuery's clock in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from faults.columns import DUCKDB_TYPES
from faults.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

_STATEMENTS = (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete, exp.Merge)
_PARAMETER_TYPES = {**DUCKDB_TYPES, "BOOL": "BOOLEAN", "FLOAT64": "DOUBLE", "INT64": "BIGINT"}


def kind_of(sql: str) -> str:
    """SELECT, INSERT, MERGE, …: the first word."""
    word = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
    return "SELECT" if word == "WITH" else word


def to_duckdb(
    sql: str,
    *,
    parameters: Sequence[Mapping[str, Any]],
    now: datetime,
    look: Callable[[str, str, str], object],
) -> str:
    """`parameters` as the REST API has them. `look` is shown each table: project, dataset, table.

    Raises ApiError: BigQuery would not run this, or this server cannot.
    """
    try:
        statement = sqlglot.parse_one(sql, read="bigquery")
    except sqlglot.ParseError as error:
        raise ApiError("invalidQuery", f"Syntax error: {error}") from error
    if not isinstance(statement, _STATEMENTS):
        raise ApiError("invalidQuery", f"The fault server runs no {kind_of(sql)}")
    values = {parameter["name"].lower(): _value(parameter) for parameter in parameters}
    instant = _cast(exp.Literal.string(now.isoformat()), "TIMESTAMPTZ")

    def filled(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Parameter):
            if node.name.lower() not in values:
                raise ApiError("invalidQuery", f"Query parameter '{node.name}' not found")
            return values[node.name.lower()].copy()
        if isinstance(node, exp.CurrentTimestamp):
            return instant.copy()
        if isinstance(node, exp.Table) and node.db:
            look(node.catalog, node.db, node.name)
            node.set("catalog", None)
        return node

    _name_columns(statement)
    return statement.transform(filled).transform(_rewritten).sql(dialect="duckdb")


def _name_columns(statement: exp.Expr) -> None:
    """`f0_`, `f1_`, … where BigQuery names what has no name."""
    if isinstance(statement, exp.SetOperation):
        _name_columns(statement.left)
    elif isinstance(statement, exp.Select):
        for number, column in enumerate(statement.expressions):
            if not isinstance(column, (exp.Alias, exp.Column, exp.Star)):
                column.replace(exp.alias_(column.copy(), f"f{number}_"))


def _rewritten(node: exp.Expr) -> exp.Expr:
    """What sqlglot leaves as BigQuery has it, or translates to another meaning."""
    if isinstance(node, exp.Unnest) and isinstance(node.args.get("offset"), exp.Identifier):
        return _unnest_with_offset(node)
    if isinstance(node, exp.RangeBucket):  # how many bounds are not after the point
        point, bounds = node.this.sql("duckdb"), node.expression.sql("duckdb")
        return sqlglot.parse_one(f"LEN(LIST_FILTER({bounds}, LAMBDA bound: bound <= {point}))", read="duckdb")
    if isinstance(node, exp.Extract) and node.name.upper() == "DATE":
        return _cast(node.expression, "DATE")
    if isinstance(node, exp.Insert) and isinstance(node.this, exp.Var):  # MERGE … INSERT ROW
        node.set("this", exp.Star())
    return node


def _unnest_with_offset(node: exp.Unnest) -> exp.Expr:
    """DuckDB counts from 1 (WITH ORDINALITY), BigQuery from 0."""
    (array,), (value,) = node.expressions, node.args["alias"].columns
    offsets = exp.func("RANGE", exp.func("LEN", array.copy()))
    both = exp.select(
        exp.alias_(exp.func("UNNEST", array.copy()), value.copy()),
        exp.alias_(exp.func("UNNEST", offsets), node.args["offset"].copy()),
    )
    return both.subquery(f"unnested_{value.name}")


def _value(parameter: Mapping[str, Any]) -> exp.Expr:
    kind, value = parameter["parameterType"], parameter["parameterValue"]
    if kind["type"] != "ARRAY":
        return _scalar(kind["type"], value)
    element = kind["arrayType"]["type"]
    elements = [_scalar(element, one) for one in value.get("arrayValues", ())]
    return _cast(exp.Array(expressions=elements), f"{_PARAMETER_TYPES[element]}[]")


def _scalar(kind: str, value: Mapping[str, Any]) -> exp.Expr:
    if kind not in _PARAMETER_TYPES or kind == "BIGNUMERIC":
        raise ApiError("invalidQuery", f"The fault server takes no parameter of type {kind}")
    text = value.get("value")
    literal = exp.Null() if text is None else exp.Literal.string(text)
    if kind == "BYTES":
        return exp.Anonymous(this="FROM_BASE64", expressions=[literal])
    return _cast(literal, _PARAMETER_TYPES[kind])


def _cast(value: exp.Expr, kind: str) -> exp.Expr:
    return exp.Cast(this=value.copy(), to=exp.DataType.build(kind, dialect="duckdb"))
