"""SIGTERM and SIGINT → an exception in the main thread, or, while a commit runs, after it; the end in any case.

Workers, threads that a signal does not reach, look whether one has arrived.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

END_SECONDS = 8.0
"""Cloud Run kills ten seconds after SIGTERM. Being killed loses nothing; this leaves time to say what was left."""


class InterruptedRunError(BaseException):
    """Not an Exception: no `except Exception` of an extractor may swallow it."""


class Interrupts:
    """Takes the place of the handlers while a run lasts. Outside the main thread signals are left alone."""

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self._held: dict[int, str] = {}
        """By thread: what must not be interrupted. Without a lock, which a handler could find taken."""
        self._deferred = False
        self.arrived = False
        """Whether the run is to end."""
        self._before: dict[signal.Signals, Any] = {}
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._watch()
            self._before = {number: signal.signal(number, self._handle) for number in self._SIGNALS}
            _present.append(self)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        if self._before:
            self._ended.set()  # first: an exception of a signal in here must not leave a watcher that ends the process
            self._give_back()
            _present.remove(self)
            os.close(self._writer)  # the watcher reads the end
            self._watcher.join()
            os.close(self._reader)

    @contextmanager
    def held(self, doing: str) -> Iterator[None]:
        """Let a prepare or a commit of this thread finish: interrupting it would only leave it to the next run."""
        me = threading.get_ident()
        self._held[me] = doing  # before the look: whoever does not see this holds before `arrived` is seen here
        try:
            if not self.arrived:
                yield
        finally:
            del self._held[me]
            if self.arrived:  # also when what was held has failed: the run must not go on with the next table
                raise InterruptedRunError

    @property
    def holds(self) -> bool:
        """Whether a thread does what must not be interrupted."""
        return bool(self._held)

    def look(self) -> None:
        """Raise InterruptedRunError when the run is to end, unless this thread is held."""
        if self.arrived and threading.get_ident() not in self._held:
            raise InterruptedRunError

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """While workers run, a signal raises nothing in the main thread, which stops them first."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
            self.look()

    def _give_back(self) -> None:
        """Signals are the business of whoever had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.arrived = True
        if not self._deferred:
            self.look()

    def _watch(self) -> None:
        # Python runs handlers between two instructions of the main thread, which may sit in a database's or a
        # server's call for long. The pipe is written at once, whatever it does.
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._watcher = threading.Thread(target=self._end_in_time, name="interrupts", daemon=True)
        self._watcher.start()

    def _end_in_time(self) -> None:
        while number := os.read(self._reader, 1):
            if number[0] in self._SIGNALS and not self._ended.wait(END_SECONDS):
                sys.stderr.write(f"{self._left()}\n")
                sys.stderr.flush()
                os._exit(1)

    def _left(self) -> str:
        held = " and ".join(self._held.values())
        if not held:
            return "Interrupted while rows were read, and the database did not stop in time. " + GO_ON
        return (
            f"Interrupted while {held}, and BigQuery did not answer in time. "
            "Run the command again: it finds out, and no row is lost or there twice."
        )


_present: list[Interrupts] = []


def _leave_to_parent() -> None:
    """A process that an extractor has forked writes into the same pipe: what ends it (`Pool.terminate` sends SIGTERM)
    would end the run, too.
    """
    for interrupts in _present:
        interrupts._give_back()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_leave_to_parent)


GO_ON = (
    "Units that were reported are committed, of the one that was being read nothing is visible.\n"
    "  Run the command again: it goes on with the first open day."
)
