"""Days → one unit of them: read, appended to a write stream, sealed."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from exporter import steps
from exporter.days import Window, days_between, window
from exporter.entries import Unit
from exporter.errors import ConnectionLostError, DayError, ExporterError, ExtractionError
from exporter.partitions import require_partition
from exporter.payloads import Batch, Payloads
from exporter.reading import batches_of, reading
from exporter.snapshot import lost_connection
from exporter.warehouse import path_of_table
from exporter.write_streams import WriteStreams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from exporter.run import Run, Source

# A unit ends after the day that reaches one of these; so a backfill of years is not a commit a day, and what a killed
# job has to do again stays small.
UNIT_ROWS = 1_000_000
UNIT_BYTES = 128_000_000
UNIT_SECONDS = 300

# A day after the first enters the stream when all of it is valid, held back until then. One that is larger than this is
# a unit of its own.
HELD_BYTES = 16_000_000


class Draft(AbstractContextManager["Draft"]):
    """A unit while it is read. Leaving the context drops what was not committed."""

    def __init__(self, run: Run, source: Source, destination: str, *, by_rows: bool = False) -> None:
        self._warehouse = run.warehouse
        self._source = source
        self._destination = destination
        self._dry_run = run.options.dry_run
        self._reporter = run.reporter
        self._look = run.interrupts.look
        self._by_rows = by_rows
        self._batches = batches_of(source.extractor)
        self._payloads = Payloads()
        self._streams: WriteStreams | None = None
        self._open = ExitStack()
        self._rows = self._bytes = 0
        self._first: date | None = None
        self.days: list[date] = []
        self.row_counts: list[int] = []
        self.failure: ExporterError | None = None
        """Why the unit ends before the day after its last."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._open.close()

    def read(self, first: date, last: date) -> None:
        """Read days from `first`, at most to `last`, as far as one unit goes.

        Raises ExporterError when the first day fails, or one too large to be held back.
        """
        started = time.monotonic()
        alias = self._source.extractor.get_database()
        with self._reading(first, last):
            for day in days_between(first, last):
                try:
                    complete = self._read_day(window(day, self._source.zone))
                except ConnectionLostError:
                    raise
                except (ExtractionError, DayError) as error:
                    # Nothing of this day has been sent, unless it is the first.
                    if not self.days or lost_connection(alias, error):
                        raise
                    self.failure = error
                    return
                full = self._rows >= UNIT_ROWS or self._bytes >= UNIT_BYTES
                if not complete or full or time.monotonic() - started > UNIT_SECONDS:
                    return

    def read_all(self, first: date, last: date) -> None:
        """Read all days from `first` to `last`. Raises ExporterError when one fails."""
        with self._reading(first, last):
            for day in days_between(first, last):
                rows = 0
                for batch in self._batches_of(window(day, self._source.zone)):
                    self._send(batch, batch.nbytes)
                    rows += batch.num_rows
                self._count(day, rows)

    def finalize(self, *, run_id: str, generation: int) -> Unit:
        """Seal the streams, if there were rows. Raises WriteError."""
        self._send_all(self._payloads.flush())
        if self._streams is not None:
            self._streams.finalize()
        return Unit(
            table_id=self._source.table.table_id,
            table_created=self._source.table.created,
            days=tuple(self.days),
            row_counts=tuple(self.row_counts),
            generation=generation,
            streams=self._streams.names if self._streams else (),
            run_id=run_id,
        )

    @contextmanager
    def _reading(self, first: date, last: date) -> Iterator[None]:
        tell = partial(self._reporter.detail, self._source.table.table_id)
        days = (
            day for day in (window(day, self._source.zone) for day in days_between(first, last)) if not day.is_empty
        )
        self._first = first
        with reading(self._source.extractor, self._batches, days, tell, by_rows=self._by_rows) as self._of_day:
            yield

    def _read_day(self, day: Window) -> bool:
        """Whether the unit may go on after this day."""
        if not day.is_empty:
            require_partition(self._source, day)
        rows, held, size = 0, list[tuple[Batch, int]](), 0
        for batch in self._batches_of(day):
            nbytes = batch.nbytes  # Arrow adds up its buffers each time
            rows += batch.num_rows
            size += nbytes
            if not self.days:  # if it fails the unit does, and its stream is dropped
                self._send(batch, nbytes)
                continue
            if size > HELD_BYTES:
                return False  # the next unit begins with this day
            held.append((batch, nbytes))
        for batch, nbytes in held:
            self._send(batch, nbytes)
        self._count(day.day, rows)
        return size <= HELD_BYTES

    def _batches_of(self, day: Window) -> Iterator[Batch]:
        if day.is_empty:
            return
        rows = 0
        for batch in self._of_day(day):
            rows += batch.num_rows
            self._look()
            self._reporter.reading(self._source.table.table_id, day.day, rows)
            yield batch

    def _count(self, day: date, rows: int) -> None:
        self.days.append(day)
        self.row_counts.append(rows)

    def _send(self, batch: Batch, nbytes: int) -> None:
        self._rows += batch.num_rows
        self._bytes += nbytes
        self._send_all(self._payloads.add(batch, nbytes))

    def _send_all(self, payloads: Iterator[Any]) -> None:
        for payload in payloads:
            if self._dry_run:
                continue
            if self._streams is None:
                self._streams = self._open.enter_context(
                    WriteStreams(
                        self._warehouse.write_client,
                        table_path=path_of_table(self._destination),
                        schema=self._batches.schema_bytes(),
                        location=f"{self._source.name}, from {self._first} on",
                    )
                )
            self._streams.append(rows=payload.rows, data=payload.data)
            steps.reached("appended")
