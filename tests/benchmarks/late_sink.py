"""The sink, far away: every answer to the exporter comes so many seconds later. `late_sink.py SECONDS`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from benchmarks.sink import serve
from faults.script import Script

if TYPE_CHECKING:
    from faults.script import Fault

_TERRAFORMS = ("make dataset", "make table")


class LateScript(Script):
    """Of a server on which nothing goes wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def call(
        self, step: str, *, table: str | None = None, job: str | None = None, statement: str | None = None
    ) -> Fault | None:
        if step not in _TERRAFORMS:
            time.sleep(self._seconds)
        return super().call(step, table=table, job=job, statement=statement)


if __name__ == "__main__":
    serve(LateScript(float(sys.argv[1])))
