"""Open days → one unit of them: read, appended, prepared and committed together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

from exporter import steps
from exporter.batches import Batch, Batches, Payloads
from exporter.commits import commit
from exporter.days import Window, days_between, window
from exporter.errors import DayError, ExporterError, ExtractionError, TableError
from exporter.extractors import is_aggregated, path_of
from exporter.ledger import Ledger, Unit
from exporter.snapshot import snapshot
from exporter.tables import table_columns
from exporter.write_stream import WriteStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from exporter.extractors import BaseExtractor
    from exporter.warehouse import Table, Warehouse

# A unit ends after the day that reaches one of these; so a backfill of years is not a commit a day, and what a killed
# job has to do again stays small.
UNIT_ROWS = 1_000_000
UNIT_BYTES = 128_000_000
UNIT_SECONDS = 300

# A day enters the stream when all of it is valid. One that is larger than this is not held back in memory: it is a
# unit of its own, and its stream is dropped if the day fails.
HELD_BYTES = 16_000_000

_PAST_YEARS = 10  # https://cloud.google.com/bigquery/docs/write-api#time-unit-column-partitioning


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table to export: where its rows come from and where they go."""

    extractor: BaseExtractor[Any]
    table: Table
    zone: ZoneInfo


class Draft(AbstractContextManager["Draft"]):
    """A unit while it is read. Leaving the context drops what was not committed."""

    def __init__(self, warehouse: Warehouse, source: Source, *, dry_run: bool) -> None:
        self._warehouse = warehouse
        self._source = source
        self._dry_run = dry_run
        self._batches = batches_of(source.extractor)
        self._payloads = Payloads()
        self._stream: WriteStream | None = None
        self._open = ExitStack()
        self._rows = self._bytes = 0
        self.days: list[date] = []
        self.row_counts: list[int] = []
        self.failure: ExporterError | None = None
        """Why the unit ends before the day after its last."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._open.close()

    def read(self, first: date, last: date, progress: Callable[[date, int], None]) -> None:
        """Read days from `first`, at most to `last`, as far as one unit goes.

        Raises ExporterError when the first day fails, or one too large to be held back.
        """
        started = time.monotonic()
        with snapshot(self._source.extractor.get_database()):
            for day in days_between(first, last):
                try:
                    complete = self._read_day(window(day, self._source.zone), progress)
                except (
                    ExtractionError,
                    DayError,
                ) as error:  # nothing of this day has been sent, unless it is the first
                    if not self.days:
                        raise
                    self.failure = error
                    return
                full = self._rows >= UNIT_ROWS or self._bytes >= UNIT_BYTES
                if not complete or full or time.monotonic() - started > UNIT_SECONDS:
                    return

    def finalize(self, *, run_id: str, generation: int) -> Unit:
        """Seal the stream, if there were rows. Raises WriteError."""
        self._send_all(self._payloads.flush())
        if self._stream is not None:
            self._stream.finalize()
            steps.reached("finalized")
        return Unit(
            table_id=self._source.table.table_id,
            table_created=self._source.table.created,
            days=tuple(self.days),
            row_counts=tuple(self.row_counts),
            generation=generation,
            streams=(self._stream.name,) if self._stream else (),
            run_id=run_id,
        )

    def _read_day(self, day: Window, progress: Callable[[date, int], None]) -> bool:
        """Whether the unit may go on after this day."""
        if day.is_empty:
            self._count(day.day, 0)
            return True
        self._require_partition(day)
        rows, held, held_bytes, streaming = 0, list[Batch](), 0, False
        for batch in self._batches.of_day(_rows(self._source.extractor, day), day):
            rows += batch.num_rows
            held.append(batch)
            held_bytes += batch.nbytes
            progress(day.day, rows)
            if held_bytes > HELD_BYTES or streaming:
                if self.days:
                    return False  # the next unit begins with this day
                streaming = True
                self._send(held)
                held, held_bytes = [], 0
        self._send(held)
        self._count(day.day, rows)
        return not streaming

    def _count(self, day: date, rows: int) -> None:
        self.days.append(day)
        self.row_counts.append(rows)

    def _send(self, batches: list[Batch]) -> None:
        for batch in batches:
            self._rows += batch.num_rows
            self._bytes += batch.nbytes
            self._send_all(self._payloads.add(batch))

    def _send_all(self, payloads: Iterator[Any]) -> None:
        for payload in payloads:
            if self._dry_run:
                continue
            if self._stream is None:
                table_id = self._source.table.table_id
                self._stream = self._open.enter_context(
                    WriteStream(
                        self._warehouse.write_client,
                        table_path=self._warehouse.path(table_id),
                        schema=self._batches.schema_bytes(),
                        location=self._warehouse.name(table_id),
                    )
                )
                steps.reached("opened")
            self._stream.append(rows=payload.rows, data=payload.data)
            steps.reached("appended")

    def _require_partition(self, day: Window) -> None:
        if not self._source.table.partitioned:
            return
        today = datetime.now(UTC).date()
        if today.year - _PAST_YEARS > day.day.year or (
            today.year - _PAST_YEARS == day.day.year and (day.day.month, day.day.day) <= (today.month, today.day)
        ):
            raise DayError(
                location=f"{self._warehouse.name(self._source.table.table_id)}, {day.day}",
                problem=f"more than {_PAST_YEARS} years ago: BigQuery takes no streamed rows into partitions that old.",
                remedy="Set SMOLQWERY_FIRST_DATE to a later day, or return None from get_partitioning() before the "
                "table is made.",
            )


def settle(warehouse: Warehouse, ledger: Ledger, unit: Unit) -> Unit:
    """Prepare a unit and commit the one that holds its days: this one, or that of a run that was faster.

    Raises TableError when Terraform made the table anew meanwhile, and what `prepare` and `commit` raise.
    """
    name = warehouse.name(unit.table_id)
    if warehouse.table(unit.table_id).created != unit.table_created:
        raise TableError(
            location=name,
            problem="was dropped and made again while its rows were read.",
            remedy="Run the command again: it begins with the table's first day.",
        )
    steps.reached("looked again")
    winner = ledger.prepare(unit)
    steps.reached("prepared")
    commit_prepared(warehouse, ledger, winner)
    return winner


def commit_prepared(warehouse: Warehouse, ledger: Ledger, unit: Unit) -> None:
    """Make a prepared unit visible, whoever prepared it. Repeatable. Raises WriteError."""
    if unit.streams:
        where = f"{warehouse.name(unit.table_id)}, {unit.days[0]} to {unit.days[-1]}"
        path = warehouse.path(unit.table_id)
        commit(warehouse.write_client, table_path=path, streams=unit.streams, location=where)
        steps.reached("committed")
        ledger.mark(unit, "committed")
        steps.reached("marked")


def read_rows(extractor: BaseExtractor[Any], day: Window) -> Iterator[dict[str, Any]]:
    """The rows of one day as BigQuery would show them, by column. Raises ExtractionError."""
    with snapshot(extractor.get_database()):
        if not day.is_empty:
            for batch in batches_of(extractor).of_day(_rows(extractor, day), day):
                yield from batch.to_pylist()


def batches_of(extractor: BaseExtractor[Any]) -> Batches:
    return Batches(
        extractor=path_of(extractor),
        row_class=extractor.get_dataclass(),
        columns=table_columns(extractor),
        date_field=extractor.get_date_field(),
        aggregated=is_aggregated(extractor),
    )


def _rows(extractor: BaseExtractor[Any], day: Window) -> Iterator[object]:
    try:
        yield from _extracted(extractor, day)
    except ExporterError:
        raise
    except Exception as error:
        raise ExtractionError(
            location=f"{path_of(extractor)}, {day.day}",
            problem=f"extract() raised {type(error).__name__}: {error}.",
            remedy="Nothing of this day is visible. Mend the extractor or its database, then run the command again.",
        ) from error


def _extracted(extractor: BaseExtractor[Any], day: Window) -> Iterable[object]:
    rows: object = extractor.extract(day.start, day.end)
    if not isinstance(rows, Iterable):
        raise ExtractionError(
            location=f"{path_of(extractor)}, {day.day}",
            problem=f"extract() returned {'None' if rows is None else type(rows).__name__} instead of rows.",
            remedy="Yield them, or return a list of them: an empty one for a day without rows.",
        )
    return rows
