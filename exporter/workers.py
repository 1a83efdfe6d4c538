"""Calls → what they return or raise, made by several threads at once."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import connections

from exporter.shield import Outcome
from exporter.waits import LOOK_SECONDS, interrupted_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.interrupts import Interrupts

T = TypeVar("T")

_STOP_SECONDS = 3.0
"""How long workers may take to stop that neither prepare nor commit. What they do after that has no consequence."""


def by_workers(
    calls: Sequence[Callable[[], T]],
    interrupts: Interrupts,
    *,
    workers: int,
    meanwhile: Callable[[], object] = lambda: None,
) -> Sequence[Callable[[], T]]:
    """Calls that give what `calls` give, in their order; with several workers all have been made before.

    `meanwhile` is called in this thread when the workers have begun. Raises what it raises, and InterruptedRunError
    when the workers have stopped.
    """
    if workers == 1:
        return calls
    crew = _Crew(calls, interrupts)
    with interrupts.deferred():
        crew.work(min(workers, len(calls)), meanwhile)
    return [outcome.get for outcome in crew.outcomes]


class _Crew(Generic[T]):
    """Threads, not those of concurrent.futures: Python would wait for them at its end, however long they take."""

    def __init__(self, calls: Sequence[Callable[[], T]], interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._calls: SimpleQueue[tuple[int, Callable[[], T]]] = SimpleQueue()
        for place_and_call in enumerate(calls):
            self._calls.put(place_and_call)
        self._outcomes: dict[int, Outcome[T]] = {}

    @property
    def outcomes(self) -> Sequence[Outcome[T]]:
        return [self._outcomes[place] for place in sorted(self._outcomes)]

    def work(self, workers: int, meanwhile: Callable[[], object]) -> None:
        """Until all calls have been made, or the run is interrupted."""
        threads = [_Worker(self._work, f"worker {number}") for number in range(1, workers + 1)]
        for thread in threads:
            thread.start()
        try:
            meanwhile()
        finally:
            for thread in threads:
                while thread.is_alive() and not self._interrupts.arrived:
                    thread.join(LOOK_SECONDS)
            if self._interrupts.arrived:
                self._stop(threads)

    def _work(self) -> None:
        with suppress(Empty):
            while not self._interrupts.arrived:
                place, call = self._calls.get_nowait()
                with interrupted_by(self._interrupts):
                    self._outcomes[place] = Outcome(call)

    def _stop(self, threads: Sequence[_Worker]) -> None:
        # Each by a thread of its own: a database that does not answer must not keep the others from being asked.
        for thread in threads:
            threading.Thread(target=thread.cancel_until_it_ends, name=f"cancel {thread.name}", daemon=True).start()
        end = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            while thread.is_alive() and (time.monotonic() < end or self._interrupts.holds):
                thread.join(LOOK_SECONDS)


class _Worker(threading.Thread):
    """A thread with connections of its own, as Django has it, which it closes."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._connections: Sequence[BaseDatabaseWrapper] = ()

    def run(self) -> None:
        self._connections = connections.all()
        try:
            self._work()
        finally:
            connections.close_all()

    def cancel_until_it_ends(self) -> None:
        """What a database is asked for next is cancelled, too."""
        while self.is_alive():
            for connection in self._connections:
                with suppress(Exception):  # of a connection that is being closed, or a driver that has no word for it
                    _cancel(connection)
            self.join(LOOK_SECONDS)


def _cancel(connection: BaseDatabaseWrapper) -> None:
    driver: Any = connection.connection
    if connection.vendor == "sqlite":
        driver.interrupt()
    elif hasattr(driver, "cancel_safe"):
        driver.cancel_safe(timeout=_STOP_SECONDS)
    else:
        driver.cancel()
