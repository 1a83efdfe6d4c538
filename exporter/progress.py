"""What an export does → lines for a person, or JSON lines for a log."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from traceback import format_exception
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console
    from rich.status import Status

    from exporter.errors import ExporterError


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReport:
    """One unit of a table, done."""

    table: str
    first_day: date
    last_day: date
    rows: int
    outcome: str
    """committed; committed by another run; recovered; abandoned; replaced; not replaced; would commit, would replace
    (dry runs)."""
    seconds: float

    def __str__(self) -> str:
        days = f"{self.first_day}" if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"{self.table}  {days}  {rows}  {self.outcome}  {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareReport:
    """How many tables are those of one task of several."""

    index: int
    count: int
    tables: int
    of_tables: int

    def __str__(self) -> str:
        all_tables = "1 table" if self.of_tables == 1 else f"{self.of_tables} tables"
        mine = f"{self.tables} of {all_tables}" if self.tables else f"none of {all_tables}, nothing to do"
        return f"task {self.index + 1} of {self.count} (index {self.index}): {mine}"


class Reporter(Protocol):
    """What an export tells while it runs; several tables at once, whose lines stay whole."""

    def share(self, report: ShareReport) -> None: ...
    def reading(self, table: str, day: date, rows: int) -> None: ...
    def unit(self, report: UnitReport) -> None: ...
    def nothing_new(self, table: str, head: date) -> None: ...
    def notice(self, table: str, text: str) -> None: ...
    def detail(self, table: str, text: str) -> None: ...
    def failed(self, table: str, error: ExporterError) -> None: ...
    def close(self) -> None: ...


class Lines:
    """A line for each unit on stdout; notices, errors and, on a terminal, progress on stderr."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, verbosity: int, tracebacks: bool = False) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._verbosity = verbosity
        self._tracebacks = tracebacks
        self._console = _terminal(stderr) if verbosity and stderr.isatty() else None
        self._status: Status | None = None
        self._details: set[tuple[str, str]] = set()
        self._being_read: dict[str, str] = {}
        self._lock = threading.Lock()  # of the streams and the status

    def share(self, report: ShareReport) -> None:
        self._say(self._stdout, str(report))

    def reading(self, table: str, day: date, rows: int) -> None:
        if self._console is None:
            return
        with self._lock:
            self._being_read[table] = f"{table}  {day}  {rows:,} rows"
            text = " | ".join(self._being_read.values())
            if self._status is None:
                self._status = self._console.status(text)
                self._status.start()
            self._status.update(text)

    def unit(self, report: UnitReport) -> None:
        self._say(self._stdout, str(report), done=report.table)

    def nothing_new(self, table: str, head: date) -> None:
        self._say(self._stdout, f"{table}  nothing new, exported to {head}")

    def notice(self, table: str, text: str) -> None:
        self._say(self._stderr, f"{table}: {text}")

    def detail(self, table: str, text: str) -> None:
        if (table, text) not in self._details:  # it would be said of every unit
            self._details.add((table, text))
            self._say(self._stderr, f"{table}: {text}", at_least=2)

    def failed(self, table: str, error: ExporterError) -> None:
        text = "".join(format_exception(error)).rstrip() if self._tracebacks else str(error)
        self._say(self._stderr, f"{table} failed.\n{text}", at_least=0, done=table)

    def close(self) -> None:
        """Also where a run is interrupted: the terminal is as it was."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _say(self, stream: TextIO, text: str, *, at_least: int = 1, done: str | None = None) -> None:
        with self._lock:
            if done is not None:
                self._being_read.pop(done, None)
            self._stop()
            if self._verbosity >= at_least:
                stream.write(f"{text}\n")
                stream.flush()


def _terminal(stderr: TextIO) -> Console:
    from rich.console import Console  # noqa: PLC0415 - a twentieth of a second, which a scheduled run need not spend

    return Console(file=stderr)


class JsonLines:
    """One JSON object a line on stdout, as Cloud Logging reads them."""

    def __init__(self, stdout: TextIO, *, run_id: str, verbosity: int, tracebacks: bool = False) -> None:
        self._stdout = stdout
        self._run_id = run_id
        self._verbosity = verbosity
        self._tracebacks = tracebacks
        self._details: set[tuple[str, str]] = set()
        self._lock = threading.Lock()  # of the stream

    def share(self, report: ShareReport) -> None:
        self._write(
            "INFO",
            str(report),
            task_index=report.index,
            task_count=report.count,
            tables=report.tables,
            of_tables=report.of_tables,
        )

    def reading(self, table: str, day: date, rows: int) -> None:
        """Nothing: a log is no terminal."""

    def unit(self, report: UnitReport) -> None:
        self._write(
            "INFO",
            str(report),
            table=report.table,
            first_day=f"{report.first_day}",
            last_day=f"{report.last_day}",
            rows=report.rows,
            outcome=report.outcome,
            seconds=round(report.seconds, 3),
        )

    def nothing_new(self, table: str, head: date) -> None:
        self._write("INFO", f"{table}: nothing new, exported to {head}", table=table, head=f"{head}")

    def notice(self, table: str, text: str) -> None:
        self._write("NOTICE", f"{table}: {text}", table=table)

    def detail(self, table: str, text: str) -> None:
        if self._verbosity > 1 and (table, text) not in self._details:
            self._details.add((table, text))
            self._write("DEBUG", f"{table}: {text}", table=table)

    def failed(self, table: str, error: ExporterError) -> None:
        trace = {"stack_trace": "".join(format_exception(error))} if self._tracebacks else {}
        self._write("ERROR", f"{table} failed. {error}", table=table, error=type(error).__name__, **trace)

    def close(self) -> None:
        """Nothing, as above."""

    def _write(self, severity: str, message: str, **fields: object) -> None:
        if self._verbosity or severity == "ERROR":
            entry = {"severity": severity, "message": message, "run_id": self._run_id, **fields}
            with self._lock:
                self._stdout.write(f"{json.dumps(entry, ensure_ascii=False)}\n")
                self._stdout.flush()
