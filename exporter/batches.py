"""Rows → validated Arrow record batches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from exporter.annotations import Type
from exporter.arrays import array_of, arrow_field
from exporter.errors import ExporterError, ExtractionError, RowError
from exporter.gather import Chunk, Gatherer
from exporter.payloads import MAX_BYTES, Batch, serialized
from exporter.refused_values import ValueRefusedError
from exporter.row_check import check_row
from exporter.values import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from exporter.days import Window
    from exporter.schema import Column

_CHUNK_BYTES = 1_000_000
_FIRST_CHUNK_ROWS = 32  # until the width of a row is known
_MAX_CHUNK_ROWS = 4_096


class Batches:
    """Turns the rows of one table into record batches, day by day."""

    def __init__(
        self, *, extractor: str, row_class: type, columns: tuple[Column, ...], date_field: str, aggregated: bool
    ) -> None:
        self._extractor = extractor
        self._row_columns = columns[1:] if aggregated else columns
        self._gatherer = Gatherer(row_class, self._row_columns)
        self._row_class = row_class
        self.columns = columns
        self._aggregated = aggregated
        self._date_column = next(column for column in columns if column.name == date_field)
        self.schema = pa.schema([arrow_field(column) for column in columns])
        self._chunk_rows = _FIRST_CHUNK_ROWS

    def schema_bytes(self) -> bytes:
        """As the first request of a connection carries it."""
        return bytes(self.schema.serialize())

    def of_day(self, rows: Iterator[object], window: Window) -> Iterator[Batch]:
        """Batches of about a megabyte.

        Raises RowError for the first row that BigQuery would refuse or that lies outside the window, ExtractionError
        for an aggregated day without exactly one row, and what `rows` raises.
        """
        done = 0
        while True:
            limit = self._chunk_rows
            chunk = self._gatherer.chunk()
            try:
                self._gatherer.take(rows, limit, chunk)
                if self._aggregated:
                    self._require_one_row(done + len(chunk.rows), window, at_end=len(chunk.rows) < limit)
                batch = self._batch(chunk, window) if chunk.rows else None
            except ExporterError:
                raise
            except Exception as error:
                raise self._located(chunk, done, window, error) from error
            if batch is None:
                return
            self._require_rows_fit(batch, done, window)
            yield batch
            done += batch.num_rows
            if batch.num_rows < limit:
                return
            # Also for the days that follow: they are as wide.
            self._chunk_rows = max(1, min(_MAX_CHUNK_ROWS, _CHUNK_BYTES * batch.num_rows // max(1, batch.nbytes)))

    def of_arrays(self, arrays: Mapping[str, pa.Array]) -> Batch:
        """Of values by column, each valid, of one day or of several. Not of aggregated days."""
        return pa.RecordBatch.from_arrays([arrays[column.name] for column in self.columns], schema=self.schema)

    def require_valid(self, batch: Batch, done: int, window: Window) -> None:
        """As rows of one day; `done`: how many came before.

        Raises ValueRefusedError: outside the window. RowError: too large.
        """
        self._require_inside(batch.column(self._date_column.name), window)
        self._require_rows_fit(batch, done, window)

    def _batch(self, chunk: Chunk, window: Window) -> Batch:
        arrays = [array_of(gathered, absent=0) for gathered in chunk.columns]
        if self._aggregated:
            arrays.insert(0, pa.array([window.day] * len(chunk.rows), pa.date32()))
        else:
            position = self.schema.get_field_index(self._date_column.name)
            self._require_inside(arrays[position], window)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _require_inside(self, values: pa.Array, window: Window) -> None:
        extremes = pc.min_max(values)
        least, most = extremes["min"], extremes["max"]
        if self._date_column.type is Type.TIMESTAMP and (
            microseconds(window.start) <= least.value and most.value < microseconds(window.end)
        ):
            return
        for extreme in (least, most):
            self._require_in_window(extreme.as_py(), window)

    def _require_in_window(self, value: date | datetime, window: Window) -> None:
        name = self._date_column.name
        if isinstance(value, datetime):
            # In UTC: datetimes that share a zone are compared by their wall clocks.
            instant = value.astimezone(UTC)
            inside = window.start.astimezone(UTC) <= instant < window.end.astimezone(UTC)
            expected = f"{window.start} to {window.end}"
            conditions = f"{name}__gte=date_start, {name}__lt=date_end"
        else:
            inside, expected = value == window.day, f"{window.day}"
            conditions = f"{name}=date_start.date()"
        if not inside:
            raise ValueRefusedError(
                name,
                f"{value} is outside the window of its day, {expected}.",
                f"Yield only rows with date_start <= value < date_end, in a QuerySet .filter({conditions}).",
            )

    def _require_one_row(self, rows: int, window: Window, *, at_end: bool) -> None:
        if rows > 1 or (rows == 0 and at_end):
            found = "no row" if rows == 0 else "more than one row"
            raise ExtractionError(
                location=f"{self._extractor}, {window.day}",
                problem=f"{found} for a day that is aggregated.",
                remedy="Yield exactly one row a day, or use ExtractorType.individual_rows.",
            )

    def _require_rows_fit(self, batch: Batch, done: int, window: Window) -> None:
        # What it shares with others, and what its own bytes are: to add these up takes longer.
        if batch.get_total_buffer_size() <= MAX_BYTES or batch.nbytes <= MAX_BYTES:
            return
        for position in range(batch.num_rows):
            size = len(serialized(batch.slice(position, 1)))
            if size > MAX_BYTES:
                raise RowError(
                    extractor=self._extractor,
                    day=window.day,
                    row=done + position + 1,
                    column=None,
                    problem=f"{size:,} bytes, and a request to BigQuery carries at most {MAX_BYTES:,}.",
                    remedy="Keep large values elsewhere, e.g. in Cloud Storage, and export where they are.",
                )

    def _located(self, chunk: Chunk, done: int, window: Window, error: Exception) -> Exception:
        """The error with the row and the column that caused it."""
        last_states = {id(row): number for number, row in enumerate(chunk.rows, done + 1)}
        for number, row in enumerate(chunk.rows, done + 1):
            if last_states[id(row)] != number:
                continue  # changed and yielded again since: what it was is not known
            refuse = partial(RowError, extractor=self._extractor, day=window.day, row=number)
            if not isinstance(row, self._row_class):
                return refuse(
                    column=None,
                    problem=f"{'None' if row is None else type(row).__name__} instead of {self._row_class.__name__}.",
                    remedy=f"Yield instances of {self._row_class.__module__}.{self._row_class.__qualname__}.",
                )
            try:
                check_row(self._row_columns, row)
                if not self._aggregated:
                    self._require_in_window(getattr(row, self._date_column.name), window)
            except ValueRefusedError as refused:
                return refuse(column=refused.path, problem=refused.problem, remedy=refused.remedy)
            except AttributeError as missing:
                return refuse(column=None, problem=f"{missing}.", remedy="Set every field of the dataclass.")
            except Exception as raised:  # noqa: BLE001 - of a property; the cause is kept
                problem = f"reading it raised {type(raised).__name__}: {raised}."
                return refuse(column=None, problem=problem, remedy="Let the fields of a row be plain values.")
        return self._of_some_row(chunk, done, window, error)

    def _of_some_row(self, chunk: Chunk, done: int, window: Window, error: Exception) -> ExtractionError:
        column = f", column {error.path}" if isinstance(error, ValueRefusedError) else ""
        return ExtractionError(
            location=f"{self._extractor}, {window.day}, rows {done + 1} to {done + len(chunk.rows)}{column}",
            problem=error.problem if isinstance(error, ValueRefusedError) else f"{type(error).__name__}: {error}.",
            remedy="Yield a new object for each row: then the message can name the row.",
        )
