"""The n-th call of a run → what happens just then: another run, a commit, hours of BigQuery's clock."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.db import connections

from faults.script import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from faults.server import FaultServer

REST = ("table", "insert job", "query")
"""All calls of one that tell or change something: the results of a job are what they are when it has run."""
_SECONDS = re.compile(r"\b\d+\.\d s$", re.MULTILINE)


class Moment:
    """Calls of these steps are counted from now on. `action` is called in the n-th, before it is applied."""

    def __init__(self, server: FaultServer, steps: Iterable[str], number: int, action: Callable[[], object]) -> None:
        self._left = number
        self._action = action
        self._faults = [server.fail(step, with_="as usual", times=FOREVER, do=self._count) for step in steps]
        self.is_reached = False

    def end(self) -> None:
        for fault in self._faults:
            fault.end()

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            self.is_reached = True
            self._action()


def another_run(*argv: str) -> str:
    """What a command says that is run here and now, in whatever thread, in no time. Raises what it ends with."""
    said = StringIO()
    try:
        call_command(*argv, stdout=said, stderr=said)
    finally:
        connections.close_all()
    return _SECONDS.sub("0.0 s", said.getvalue())
