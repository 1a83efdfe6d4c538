"""SQL of Django's → why two versions of SQLite may compute it otherwise.

A team's driver brings one, Python another. Between versions the sum of floats, their rounding and their text have
changed (https://www.sqlite.org/releaselog/3_43_0.html), functions have come (3.44: concat_ws) and JSON has widened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from django.db.backends.base.base import BaseDatabaseWrapper

_WORD = re.compile(r"\w+")
_CALL = re.compile(r"(?<![\"\w])(\w+)\s*\(")
_NO_VALUES = re.compile(r" group by .*?(?= having | order by |\)|$)| as \w+(?:\(\d+\))?\)")
"""Compared, however many columns Django names there, and the types of casts."""
_NUMBER = re.compile(r"(?<![\w\"])\d+(?:\.|e[+-]?\d)")

_KEYWORDS = frozenset(
    _WORD.findall(
        "all and as between by case distinct else end escape except exists filter from having in intersect is join "
        "limit materialized not offset on or order over partition select then union using values when where with"
    )
)
_ALIKE = frozenset(
    _WORD.findall(
        "abs coalesce count dense_rank first_value ifnull iif lag last_value lead max min nth_value ntile nullif rank "
        "row_number"
    )
)
_ALIKE_WITHOUT_FLOATS = frozenset(
    _WORD.findall("avg cast instr length lower ltrim replace rtrim substr substring sum trim upper")
)
_TEXTUAL = frozenset({"glob", "like"})
_WITHOUT_FLOATS = ("bigint", "blob", "bool", "char", "date", "integer", "smallint", "text", "time", "varchar")
"""How the types begin that Django gives its columns, but for those of FloatField and DecimalField."""
_TEXTS = ("blob", "char", "text", "varchar")
_FLOATS_MADE = re.compile(r"\bas (?:real|numeric|decimal|float|double)\b")
_QUALIFIED = re.compile(r"\"[^\"]*\"\.(?=\")|\"|(?<!%)%s|\(\*\)")
_AGGREGATED = re.compile(r"(?<![\"\w])(?:avg|sum)\s*\(")
_COMPARED = re.compile(r"\bwhen\b.*?\bthen\b")
_OPERATION = re.compile(r"(\w+|\))\s*[-+*/%]+\s*(?=(\w+|\())")


def difference(sql: str, params: Sequence[Any], models: Models) -> str | None:
    """None: there is none in what is only compared, counted, or made of integers and text."""
    text = sql.lower()
    calls = set(_CALL.findall(text)) - _KEYWORDS
    if unknown := calls - _ALIKE - _ALIKE_WITHOUT_FLOATS:
        return f"{min(unknown)}()"
    words = set(_WORD.findall(_NO_VALUES.sub("", text)))
    uses = (calls & _ALIKE_WITHOUT_FLOATS) | (words & _TEXTUAL) | {sign for sign in ("||", "->") if sign in text}
    if "->" in uses:
        return "->"
    if not uses:
        return None
    types = models.types_in(text)
    has_floats = words & types.floats or _NUMBER.search(text) or any(isinstance(param, float) for param in params)
    return min(uses) if has_floats or _makes_floats(text, uses, words, types) else None


def _makes_floats(sql: str, uses: set[str], words: set[str], types: Types) -> bool:
    """By a cast, an average that goes on, or of text that is taken for numbers."""
    if _FLOATS_MADE.search(sql):
        return True
    if any(argument & types.texts for argument in _arguments(sql, "sum")):
        return True
    if any(argument & (types.texts | types.long) for argument in _arguments(sql, "avg")):
        return True
    is_nested = sql.count("select ") > 1 and len(_AGGREGATED.findall(sql)) > 1
    if "avg" in uses and (uses - {"avg", "sum"} or is_nested):
        return True
    calculates_with_text = words & types.texts and _operands(sql) & ({"(", ")"} | types.texts)
    return bool(calculates_with_text and uses != {"sum"})


def _arguments(sql: str, function: str) -> Iterator[set[str]]:
    """The words in those of each of its calls, but for what is only compared."""
    for call in re.finditer(rf"(?<![\"\w]){function}\s*\(", sql):
        end, depth = call.end(), 1
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        yield set(_WORD.findall(_COMPARED.sub("", sql[call.end() : end])))


def _operands(sql: str) -> set[str]:
    """Columns that are calculated with; a parenthesis stands for whatever else is."""
    bare = _QUALIFIED.sub("", sql.replace(" %s", " 0"))
    return {operand for operation in _OPERATION.findall(bare) for operand in operation}


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """Of columns, by their names: what they can hold."""

    floats: frozenset[str]
    texts: frozenset[str]
    long: frozenset[str]
    """Integers whose sum may have no exact average."""


class Models:
    """All of a project, and the types that their columns are declared with."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        options = [model._meta for models in apps.all_models.values() for model in models.values()]  # noqa: SLF001 - public, https://docs.djangoproject.com/en/stable/ref/models/meta/
        self._columns = [
            (its.db_table.lower(), str(field.column).lower(), field.db_type(connection) or "")
            for its in options
            for field in its.concrete_fields
        ]

    def types_in(self, sql: str) -> Types:
        """Of the tables that it may read."""
        columns = [(name, declared) for table, name, declared in self._columns if table in sql]
        return Types(
            floats=frozenset(name for name, declared in columns if not declared.startswith(_WITHOUT_FLOATS)),
            texts=frozenset(name for name, declared in columns if declared.startswith(_TEXTS)),
            long=frozenset(name for name, declared in columns if declared.startswith("bigint")),
        )
