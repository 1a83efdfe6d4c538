"""Waits → the same waits, which in a worker's thread end when the run is interrupted.

In the main thread the handler of a signal raises in the middle of a wait. In no other thread does it: there they look.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from exporter.interrupts import InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.interrupts import Interrupts

T = TypeVar("T")

LOOK_SECONDS = 0.1
"""Between two looks. What is waited for ends a wait at once."""

_thread = threading.local()


@contextmanager
def interrupted_by(interrupts: Interrupts) -> Iterator[None]:
    """Let the waits of this thread raise InterruptedRunError, once: what is closed after it has limits of its own."""
    _thread.interrupts = interrupts
    try:
        yield
    finally:
        _thread.interrupts = None


def taken(queue: SimpleQueue[T], seconds: float | None = None) -> T:
    """Its next item. Raises Empty after so many seconds."""
    if getattr(_thread, "interrupts", None) is None:
        return queue.get(timeout=seconds)
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        left = LOOK_SECONDS if end is None else end - time.monotonic()
        try:
            return queue.get(timeout=max(0.0, min(left, LOOK_SECONDS)))
        except Empty:
            if left < LOOK_SECONDS:
                raise
            _look()


def sleep(seconds: float) -> None:
    """As `time.sleep`."""
    with suppress(Empty):
        taken(SimpleQueue[None](), seconds)


def _look() -> None:
    try:
        _thread.interrupts.look()
    except InterruptedRunError:
        _thread.interrupts = None
        raise
