"""One emulator of BigQuery as a child process: started, asked for its addresses, always stopped."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROJECT = "example-project"
START_SECONDS = 60.0
STOP_SECONDS = 5.0
SERVER = ("-P", "-m", "emulator.server")
# BigQuery has no such limit. The emulator keeps a stream in memory and refuses rows after 10,000,000.
WRITE_STREAM_ROWS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """Where a running emulator listens."""

    rest_url: str
    grpc_endpoint: str
    project: str = PROJECT

    @property
    def environ(self) -> dict[str, str]:
        """What points Google's clients, our exporter and Terraform's google provider to it."""
        return {
            "BIGQUERY_EMULATOR_HOST": self.rest_url,
            "BIGQUERY_STORAGE_EMULATOR_HOST": self.grpc_endpoint,
            "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT": f"{self.rest_url}/bigquery/v2/",
            "GOOGLE_OAUTH_ACCESS_TOKEN": "emulator",
            "GOOGLE_CLOUD_PROJECT": self.project,
        }


class EmulatorDidNotStartError(Exception):
    def __init__(self, reason: str, stderr: str) -> None:
        self.reason = reason
        self.stderr = stderr
        super().__init__(f"The emulator did not start: {reason}.\n{stderr}".rstrip())


@contextmanager
def running_emulator(*, write_stream_rows: int = WRITE_STREAM_ROWS, repaired: bool = True) -> Iterator[Emulator]:
    """An emulator on free ports of 127.0.0.1. `repaired=False` is bqemulator as it comes, to show its defects."""
    command = [sys.executable, *SERVER, "--write-stream-rows", str(write_stream_rows)]
    if not repaired:
        command.append("--unrepaired")
    with running_server(command) as emulator:
        yield emulator


@contextmanager
def running_server(command: Sequence[str]) -> Iterator[Emulator]:
    """A child process whose first line says where it listens, and which ends when its stdin does."""
    with (
        # What DuckDB has no memory for it writes where it runs.
        tempfile.TemporaryDirectory(prefix="emulator") as directory,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr,
        # A session of its own: Ctrl-C in the terminal reaches the command under test, which may
        # still want to commit, and not the emulator. Its stdin is what ends it when we die.
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=directory,
            env=_child_environ(),
            start_new_session=True,
        ) as child,
    ):
        try:
            yield _addresses(child, stderr)
        finally:
            _stop(child)


def _child_environ() -> dict[str, str]:
    # DuckDB's sessions take their time zone from TZ, and bqemulator its settings from BQEMU_*.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BQEMU_")}
    return inherited | {"PYTHONPATH": str(Path(__file__).resolve().parents[1]), "TZ": "UTC"}


def _addresses(child: subprocess.Popen[bytes], stderr: IO[str]) -> Emulator:
    line = _first_line(child)
    if line.endswith(b"\n"):
        return Emulator(**json.loads(line))
    if child.poll() is None:
        reason = f"no answer after {START_SECONDS:.0f} s"
    else:
        reason = f"it ended with exit code {child.returncode}"
    stderr.seek(0)
    raise EmulatorDidNotStartError(reason, stderr.read())


def _first_line(child: subprocess.Popen[bytes]) -> bytes:
    """The child's first line, or what there is of it when time is up or the child has ended."""
    assert child.stdout is not None
    line = b""
    deadline = time.monotonic() + START_SECONDS
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([child.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            break
        chunk = os.read(child.stdout.fileno(), 4096)
        if not chunk:
            child.wait(STOP_SECONDS)
            break
        line += chunk
    return line


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
