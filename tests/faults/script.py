"""What a test wants to go wrong, in words → the fault of a call, or none.

    server.fail("append", nth=3, with_="break after")
    server.fail("insert job", job="smolqwery-prepare-", with_="reply lost")
    held = server.fail("commit", with_="held")  # until held.release()

Faults of one step come one after the other: a call counts for the first that is not used up and whose `table`, `job`
and `statement` fit it.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.cloud.bigquery_storage_v1 import types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOREVER = sys.maxsize
"""As `times`: of every call, until the fault is ended."""

WAIT_SECONDS = 60.0
"""Nothing here waits longer, whatever a test forgets to release."""

_STATUSES = frozenset(code.name for code in grpc.StatusCode) - {"OK"}
_STORAGE_ERRORS = frozenset(types.StorageError.StorageErrorCode.__members__)
_ANY = frozenset(
    {
        "as usual",  # but `do` is called first
        "held",  # applied and answered when it is released, or after `seconds`; applied even if the client has left
        "late",  # applied at once, answered when it is released, or after `seconds`
        "silence",  # neither applied nor ever answered
        "reply lost",  # applied; gRPC answers with the status `code`, REST closes the connection
    }
)
_HTTP = frozenset(f"HTTP {status}" for status in (400, 403, 404, 409, 412, 429, 500, 502, 503, 504))
_REST = _ANY | _HTTP | {"dropped"}  # not applied, the connection closes

WORDS: Mapping[str, frozenset[str]] = {
    # gRPC. A status name answers with that status, and nothing is applied.
    "open": _ANY | _STATUSES,
    # A status name is the error of one reply; ALREADY_EXISTS takes the rows first. The connection breaks with `code`.
    "append": _ANY | _STATUSES | {"break before", "break after", "row errors"},
    "finalize": _ANY | _STATUSES | {"other count"},
    "get stream": _ANY | _STATUSES,
    # A name of a StorageError is said of each stream, in a reply that is OK; nothing is applied.
    "commit": _ANY | _STATUSES | _STORAGE_ERRORS | {"no commit time"},
    # REST.
    "make dataset": _REST,
    "make table": _REST,
    "table": _REST,
    "drop table": _REST,
    # "fails": the job runs into an error of this `reason`; "runs long": it is done at the `polls`th question after it;
    # "taken": another run's job of the same id, with these `parameters` changed, came before this one, which gets 409.
    # `reason` and `polls` say how the other's job fares.
    "insert job": _REST | {"fails", "runs long", "taken"},
    "query": _REST | {"fails", "runs long"},
    "get job": _REST,
    "results": _REST,
}


@dataclass(kw_only=True, eq=False)
class Fault:
    """One thing that goes wrong, `times` times from the `nth` call on."""

    step: str
    what: str
    nth: int = 1
    times: int = 1
    table: str | None = None
    job: str | None = None
    """How the job's id begins."""
    statement: str | None = None
    """The first word of its SQL."""
    do: Callable[[], object] | None = None
    """Called when the fault is reached, before anything else."""
    seconds: float = WAIT_SECONDS
    code: str = "UNAVAILABLE"
    rows: int = 1
    """"other count": so many more. "row errors": the index of the row at fault."""
    unanswered: int = 0
    """"break before" and "break after": so many requests before are taken too, and their replies lost."""
    polls: int = 0
    reason: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reached: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    ended: bool = False
    _released: bool = False
    _waiting: list[threading.Event] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __str__(self) -> str:
        often = "forever" if self.times == FOREVER else f"{self.times} times"
        return f"{self.step}, with {self.what}, of call {self.nth}, {often}: reached {self.used} times"

    @property
    def is_of_its_step(self) -> bool:
        """A word that is not one of every step."""
        return self.what not in _ANY

    @property
    def is_over(self) -> bool:
        return self.ended or self.used == self.times

    @property
    def is_met(self) -> bool:
        """As often as it should be."""
        return self.used == self.times or (self.used > 0 and (self.ended or self.times == FOREVER))

    @property
    def used(self) -> int:
        return min(max(0, self.seen - self.nth + 1), self.times)

    def end(self) -> None:
        """It does not go wrong any more, and whoever waits goes on."""
        self.ended = True
        self.release()

    def release(self) -> None:
        """Whoever waits goes on, and nobody waits any more."""
        with self._lock:
            self._released = True
            for waiting in self._waiting:
                waiting.set()

    def wait(self, *, until_left: Callable[[Callable[[], None]], object] = lambda _: None) -> None:
        """Until it is released or time is up. `until_left` takes what ends the wait early."""
        ended = threading.Event()
        with self._lock:
            self._waiting.append(ended)
            if self._released:
                ended.set()
        if until_left(ended.set) is False:  # gRPC's word for: it has left already
            ended.set()
        ended.wait(min(self.seconds, WAIT_SECONDS))

    def fits(self, *, table: str | None, job: str | None, statement: str | None) -> bool:
        return (
            self.table in (None, table)
            and (self.job is None or (job or "").startswith(self.job))
            and self.statement in (None, statement)
        )


class Script:
    """The faults of one server. Its lock guards their counts."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._counts: Counter[tuple[str, str | None]] = Counter()
        self._lock = threading.Lock()
        self._stopped = False

    def add(self, fault: Fault) -> Fault:
        if fault.what not in WORDS[fault.step]:
            raise ValueError(f"{fault.step} cannot fail with {fault.what!r}: {', '.join(sorted(WORDS[fault.step]))}")
        with self._lock:
            self._faults.append(fault)
        return fault

    def call(
        self, step: str, *, table: str | None = None, job: str | None = None, statement: str | None = None
    ) -> Fault | None:
        """The fault of this call. A fault's own `do` has been called."""
        with self._lock:
            self._counts[step, table] += 1
            if self._stopped:
                return None
            fault = next((one for one in self._open(step) if one.fits(table=table, job=job, statement=statement)), None)
            if fault is None:
                return None
            fault.seen += 1
            if not fault.used:
                return None
        fault.reached.set()
        if fault.do is not None:
            fault.do()
        return fault

    def loses(self, step: str, table: str | None) -> bool:
        """Whether the reply of the call just counted is one that a break to come takes with it."""
        with self._lock:
            return any(
                fault.nth - fault.unanswered <= fault.seen < fault.nth
                for fault in self._open(step)
                if fault.fits(table=table, job=None, statement=None)
            )

    def count(self, step: str, *, table: str | None = None) -> int:
        """How many calls there were, of this table or all."""
        with self._lock:
            return sum(
                calls for (of_step, of), calls in self._counts.items() if of_step == step and table in (None, of)
            )

    def unused(self) -> list[str]:
        """What has not gone wrong, in words."""
        with self._lock:
            return [str(fault) for fault in self._faults if not fault.is_met]

    def stop(self) -> None:
        """Nothing goes wrong any more, and nobody waits."""
        with self._lock:
            self._stopped = True
            faults = list(self._faults)
        for fault in faults:
            fault.release()

    def _open(self, step: str) -> list[Fault]:
        return [fault for fault in self._faults if fault.step == step and not fault.is_over]
