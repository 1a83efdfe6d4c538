"""SIGTERM and SIGINT → an exception in the main thread, or, while a commit runs, after it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any


class InterruptedRunError(BaseException):
    """Not an Exception: no `except Exception` of an extractor may swallow it."""


class Interrupts:
    """Takes the place of the handlers while a run lasts. Outside the main thread signals are left alone."""

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self._held = False
        self._arrived = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in self._SIGNALS}
        return self

    def __exit__(self, *_exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a prepare or a commit finish: interrupting it would only leave it to the next run."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._arrived:  # also when what was held has failed: the run must not go on with the next table
                raise InterruptedRunError

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._arrived = True
        if not self._held:
            raise InterruptedRunError
