"""A connection of Django's, while somebody uses it → whether that can have changed what SQL means to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

_READS = re.compile(r"\s*(?:select|with)\b")
_CALLS = re.compile(r"(\w+)\"?\s*\(")
_HARMLESS = frozenset(
    re.findall(
        r"\w+",
        "all and any as avg between by case cast coalesce count distinct exists filter from group having in join like "
        "lower max min not on or order over partition select sum then upper values when where with",
    )
)


class Watch:
    """Of one use, as a context."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._wrappers: list[Any] = connection.execute_wrappers
        self.has_changed = False
        """Whether anything was executed that does more than to read tables. A function can."""

    def __enter__(self) -> Self:
        self._wrappers.append(self._note)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._wrappers.remove(self._note)  # not the last one: others may have been added

    def require_no_other(self) -> None:
        """Raises RowsNeededError: somebody else wraps what is executed."""
        if self._wrappers:
            raise RowsNeededError("its connection has an execute_wrapper(), which may change what is read")

    def _note(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        text = sql.lower()
        if not _READS.match(text) or not _HARMLESS.issuperset(_CALLS.findall(text)):
            self.has_changed = True
        return execute(sql, *rest)
