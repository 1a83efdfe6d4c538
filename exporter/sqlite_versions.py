"""SQL of Django's → why two versions of SQLite may compute it otherwise.

A team's driver brings one, Python another. Between versions the sum of floats, their rounding and their text have
changed (https://www.sqlite.org/releaselog/3_43_0.html), functions have come (3.44: concat_ws) and JSON has widened.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from django.db.backends.base.base import BaseDatabaseWrapper

_WORD = re.compile(r"\w+")
_CALL = re.compile(r"(?<![\"\w])(\w+)\s*\(")
_GROUPS = re.compile(r" group by .*?(?= having | order by |\)|$)")  # compared, however many columns Django names there
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


def difference(sql: str, params: Sequence[Any], connection: BaseDatabaseWrapper) -> str | None:
    """None: there is none in what is only compared, counted, or made of integers and text."""
    text = sql.lower()
    calls = set(_CALL.findall(text)) - _KEYWORDS
    if unknown := calls - _ALIKE - _ALIKE_WITHOUT_FLOATS:
        return f"{min(unknown)}()"
    words = set(_WORD.findall(_GROUPS.sub("", text)))
    uses = (calls & _ALIKE_WITHOUT_FLOATS) | (words & _TEXTUAL) | {sign for sign in ("||", "->") if sign in text}
    if "->" in uses:
        return "->"
    if not uses:
        return None
    makes_floats = "avg" in calls and uses != {"avg"}
    has_floats = _NUMBER.search(text) or any(isinstance(param, float) for param in params)
    return min(uses) if makes_floats or has_floats or words & _columns_of_floats(text, connection) else None


def _columns_of_floats(sql: str, connection: BaseDatabaseWrapper) -> set[str]:
    """Of the tables that it may read."""
    options = [model._meta for models in apps.all_models.values() for model in models.values()]  # noqa: SLF001 - public, https://docs.djangoproject.com/en/stable/ref/models/meta/
    return {
        str(field.column).lower()
        for its in options
        if its.db_table.lower() in sql
        for field in its.concrete_fields
        if not (field.db_type(connection) or "").startswith(_WITHOUT_FLOATS)
    }
