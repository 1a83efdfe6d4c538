"""A stand-in of BigQuery that lives in the test's own process, and does what a test says where a test says it.

It answers as BigQuery does until a fault is scripted (script.py has the words), runs SQL one statement after the
other, and has a clock that only a test and its own readings move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from emulator.process import PROJECT, Emulator
from faults.clock import Clock
from faults.jobs import Jobs
from faults.rest_service import RestService
from faults.rest_steps import RestSteps
from faults.script import Fault, Script
from faults.streams import Streams
from faults.tables import Tables
from faults.write_service import WriteService

if TYPE_CHECKING:
    from datetime import datetime


class FaultServer:
    """Starts when it is made. Leaving the context releases all that waits, and leaves no thread."""

    def __init__(self, *, start: datetime | None = None) -> None:
        self.clock = Clock(start) if start else Clock()
        self.script = Script()
        self.broken: list[BaseException] = []
        """Defects of this server that calls have met."""
        self.tables = Tables(PROJECT, self.clock)
        self.streams = Streams(self.tables, self.clock)
        self.jobs = Jobs(self.tables, self.clock)
        self._rest = RestService(RestSteps(self.tables, self.jobs, self.script), self.broken)
        self._write = WriteService(self.streams, self.script, self.broken)
        self.emulator = Emulator(rest_url=self._rest.url, grpc_endpoint=self._write.endpoint)
        """Where it listens."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody listens any more. What is stopped already stays so."""
        self.script.stop()
        self._write.stop()
        self._rest.stop()
        self.tables.close()

    def fail(self, step: str, *, with_: str, **options: Any) -> Fault:
        """Script a fault: the step, the word, and attributes of Fault. Raises ValueError: no such word."""
        return self.script.add(Fault(step=step, what=with_, **options))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the one table of this name holds, as an extractor would yield it, in the order in which it came."""
        return list(self.tables.rows(table))
