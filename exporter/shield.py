"""A call → the same call on a thread of its own, where no signal handler can raise.

An exception that a handler raises inside gRPC, after a lock is taken and before it is noted that it must be released,
leaves it taken for ever. Whoever touches that channel next waits for ever, too.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from exporter.waits import taken

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def shielded(call: Callable[[], T]) -> T:
    """Raises what `call` raises. Who is interrupted here leaves the call to its own time limit."""
    return begun(call)()


def begun(call: Callable[[], T]) -> Callable[[], T]:
    """What waits for `call`, as `shielded` does, to be called once."""
    outcome: SimpleQueue[Outcome[T]] = SimpleQueue()
    threading.Thread(target=lambda: outcome.put(Outcome(call)), name="shielded call", daemon=True).start()
    return lambda: taken(outcome).get()


class Outcome(Generic[T]):
    """What a call has returned or raised, for another thread."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._error: BaseException | None = None
        try:
            self._value = call()
        except BaseException as error:  # noqa: BLE001 - whoever asks for it raises it
            self._error = error

    def get(self) -> T:
        """Raises what the call raised."""
        if self._error is not None:
            raise self._error
        return self._value
