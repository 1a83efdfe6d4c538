"""`manage.py smolqwery_extract` → a process that is waited for, stopped, continued and killed."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANAGE = Path(__file__).resolve().parents[1] / "example" / "manage.py"
TESTS = Path(__file__).resolve().parents[1]
_HOOK = {"PYTHONPATH": str(TESTS), "SMOLQWERY_STEP_HOOK": "faults.hook.reached"}
_AMBIENT = ("BIGQUERY_", "CLOUD_RUN_", "CLOUDSDK_", "FAULTS_", "GCE_", "GOOGLE_", "SMOLQWERY_")

LIMIT_SECONDS = 120.0
"""For anything that a run is waited for: far more than any takes, so that a hang is an error and not a hang."""


class Ended(NamedTuple):
    """What a run left. The exit code of one that a signal ended is the signal's number, negative."""

    stdout: str
    stderr: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process. Its files stay: they say what it printed and which steps it reached."""

    launcher: Launcher
    number: int
    directory: Path

    def send(self, sent: signal.Signals) -> None:
        """Nothing happens where it has ended."""
        self.launcher.order({"run": self.number, "signal": sent})

    def is_stopped(self) -> bool:
        """Wait until it has stopped, True, or ended. Raises TimeoutError."""
        return self._next(LIMIT_SECONDS) == "stopped"

    def ended(self, seconds: float = LIMIT_SECONDS) -> Ended:
        """Wait for its end. Raises TimeoutError."""
        if self._next(seconds) == "stopped":
            raise TimeoutError(f"{self} is stopped and nobody continues it")
        stdout, stderr = _read(self.directory / "stdout"), _read(self.directory / "stderr")
        return Ended(stdout, stderr, self.launcher.event(self.number, seconds)["exit_code"])

    def has_ended(self, *, within: float) -> bool:
        """Wait for its end, as long as this."""
        try:
            return self._next(within) == "ended"
        except TimeoutError:
            return False

    @property
    def steps(self) -> list[str]:
        """Those of the protocol that it has reached: "appended 2" for the second time."""
        return _read(self.directory / "steps").splitlines()

    def _next(self, seconds: float) -> str:
        """What happens to it: stopped, which passes, or ended."""
        try:
            return str(self.launcher.event(self.number, seconds)["event"])
        except TimeoutError as error:
            last = "".join(self.steps[-1:]) or "its start"
            raise TimeoutError(f"nothing happens {seconds} s after {last}, {self.directory}") from error


class Launcher:
    """The one process whose children all runs are."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._unread = b""
        self._events: dict[int, deque[dict[str, Any]]] = defaultdict(deque)
        self._numbers = count()
        assert self._next(time.monotonic() + LIMIT_SECONDS) == {"event": "ready"}

    def start(self, directory: Path, *argv: str, environ: Mapping[str, str], fresh: bool = False) -> Run:
        """`fresh`: not a fork but `python manage.py …` as a user runs it. `directory` is new and the run's own."""
        directory.mkdir()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_AMBIENT)}
        no_credentials = {"HOME": str(directory), "CLOUDSDK_CONFIG": str(directory), "NO_GCE_CHECK": "true"}
        number = next(self._numbers)
        self.order(
            {
                "run": number,
                "argv": [sys.executable, str(MANAGE), *argv],
                "environ": {
                    **inherited,
                    **no_credentials,
                    **_HOOK,
                    "FAULTS_STEPS": str(directory / "steps"),
                    **environ,
                },
                "stdout": str(directory / "stdout"),
                "stderr": str(directory / "stderr"),
                "fresh": fresh,
            }
        )
        return Run(launcher=self, number=number, directory=directory)

    def order(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(order)}\n".encode())
        self._process.stdin.flush()

    def event(self, run: int, seconds: float) -> dict[str, Any]:
        """What happens next to this run; after its end that remains. Raises TimeoutError."""
        events = self._events[run]
        deadline = time.monotonic() + seconds
        while not events:
            event = self._next(deadline)
            self._events[event["run"]].append(event)
        return events[0] if events[0]["event"] == "ended" else events.popleft()

    def _next(self, deadline: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        stdout = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            readable, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise TimeoutError
            chunk = os.read(stdout, 65536)
            assert chunk, "the launcher has ended"
            self._unread += chunk
        line, self._unread = self._unread.split(b"\n", 1)
        event: dict[str, Any] = json.loads(line)
        return event


@contextmanager
def running_launcher() -> Iterator[Launcher]:
    """Ended with all runs that are still there."""
    with subprocess.Popen(
        [sys.executable, "-m", "faults.launcher"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **_HOOK},
        # Of its own: Ctrl-C in the terminal is for pytest, which then ends it.
        start_new_session=True,
    ) as process:
        try:
            yield Launcher(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(LIMIT_SECONDS)


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
