"""A QuerySet's days → record batches of the table, without a row of Python's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from exporter.arrays import joined
from exporter.asked import AskedUnit
from exporter.casts import cast
from exporter.direct_source import source_of
from exporter.errors import ExporterError, in_a_line
from exporter.plain_rows import require_plain
from exporter.querysets import yields_its_queryset
from exporter.range_days import RangeDays
from exporter.refused_values import ValueRefusedError
from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from exporter.asked import AskedDays
    from exporter.batches import Batches
    from exporter.days import Window
    from exporter.payloads import Batch
    from exporter.querysets import QuerySetExtractor
    from exporter.statements import Selected

# To cast a few hundred rows costs as much as to cast thousands.
_TOGETHER_DAYS, _TOGETHER_BYTES = 32, 1_000_000


class DirectReader:
    """Of one unit. Nothing that it has raised RowsNeededError for may be asked of it again."""

    def __init__(self, extractor: QuerySetExtractor[Any], batches: Batches, days: Iterable[Window]) -> None:
        """Raises RowsNeededError: another database, a dataclass that does more than to hold values, no driver."""
        if not yields_its_queryset(extractor):
            raise RowsNeededError("extract() is overridden")
        require_plain(extractor.get_dataclass())
        self._batches = batches
        self._source = source_of(extractor.get_database())
        self._asked = AskedUnit(extractor, batches.columns, self._source, days)
        self._read = self._read_days()

    def begin(self) -> None:
        """Take the snapshot, before anything else does. Raises RowsNeededError."""
        try:
            self._source.begin()
        except RowsNeededError:
            raise
        except Exception as error:
            raise RowsNeededError(in_a_line(error)) from error

    def leave(self) -> None:
        """Rows are read from here on: what they may have to wait for is not held any longer."""
        self._source.leave()

    def close(self) -> None:
        self._source.close()

    def of_day(self, window: Window) -> Iterator[Batch]:
        """As Batches.of_day, of the next one of the days.

        Raises ConnectionLostError, what `select` raises, and RowsNeededError for all else.
        """
        try:
            for day, batch in self._read:
                if day != window:
                    break
                if batch is None:
                    return
                yield batch
        except RowsNeededError as reason:
            if self._asked.failed:
                raise RowsNeededError(reason, anew=True) from reason
            raise
        raise RowsNeededError("another day was to follow")

    def _read_days(self) -> Iterator[tuple[Window, Batch | None]]:
        """The batches of each day, and then None. Days of one small batch each are cast together."""
        small: list[_SmallDay] = []
        for asked in self._asked:
            try:
                first = next(asked.batches, None)
                second = None if first is None else next(asked.batches, None)
            except Exception:
                yield from self._cast_together(small)  # those before it are as good as ever
                raise
            day = _small_day(asked, first) if second is None else None
            if day is None or not day.goes_with(small):
                yield from self._cast_together(small)
                small = []
            reads = chain([read for read in (first, second) if read is not None], asked.batches)
            if day is not None:
                small.append(day)
            elif len(asked.windows) > 1:
                yield from self._cast_range(asked, reads)
            else:
                yield from self._cast_alone(asked.windows[0], asked.statements[0].selected, reads)
        yield from self._cast_together(small)

    def _cast_range(self, asked: AskedDays, reads: Iterable[pa.RecordBatch]) -> Iterator[tuple[Window, Batch | None]]:
        selected = asked.statements[0].selected
        days = RangeDays(asked.statements)
        day = done = 0
        for read in reads:
            whole = self._cast_if_valid(read, selected)
            for number, start, size in days.cut(read):
                while day < number:
                    yield asked.windows[day], None
                    day, done = day + 1, 0
                batch = self._cast(read.slice(start, size), selected) if whole is None else whole.slice(start, size)
                yield asked.windows[day], self._valid(batch, done, asked.windows[day])
                done += size
        for window in asked.windows[day:]:
            yield window, None

    def _cast_together(self, days: Sequence[_SmallDay]) -> Iterator[tuple[Window, Batch | None]]:
        read = [day for day in days if day.read is not None]
        whole = self._cast_if_valid(joined([day.read for day in read]), read[0].selected) if len(read) > 1 else None
        start = 0
        for day in days:
            if day.read is None:
                yield day.window, None
            elif whole is None:
                yield from self._cast_alone(day.window, day.selected, [day.read])
            else:
                size = day.read.num_rows
                yield day.window, self._valid(whole.slice(start, size), 0, day.window)
                yield day.window, None
                start += size

    def _cast_alone(
        self, window: Window, selected: tuple[Selected, ...], reads: Iterable[pa.RecordBatch]
    ) -> Iterator[tuple[Window, Batch | None]]:
        done = 0
        for read in reads:
            yield window, self._valid(self._cast(read, selected), done, window)
            done += read.num_rows
        yield window, None

    def _cast_if_valid(self, read: pa.RecordBatch, selected: tuple[Selected, ...]) -> Batch | None:
        """None: a value of one of its days is not; the others need not know."""
        try:
            return self._cast(read, selected)
        except RowsNeededError:
            return None

    def _cast(self, read: pa.RecordBatch, selected: tuple[Selected, ...]) -> Batch:
        return self._batches.of_arrays(
            {
                one.column.name: cast(self._source.read, one, field, array)
                for one, field, array in zip(selected, read.schema, read.columns, strict=True)
            }
        )

    def _valid(self, batch: Batch, done: int, window: Window) -> Batch:
        try:
            self._batches.require_valid(batch, done, window)
        except (ExporterError, ValueRefusedError) as refused:  # rows have better words for it
            raise RowsNeededError(in_a_line(refused)) from refused
        return batch


@dataclass(frozen=True, slots=True, kw_only=True)
class _SmallDay:
    """All that was read of a day, not cast yet."""

    window: Window
    selected: tuple[Selected, ...]
    read: pa.RecordBatch | None
    nbytes: int

    def goes_with(self, days: Sequence[_SmallDay]) -> bool:
        """Whether they are few, and its values are cast as theirs are."""
        return (
            len(days) < _TOGETHER_DAYS
            and sum(day.nbytes for day in days) < _TOGETHER_BYTES
            and all(self._is_cast_like(day) for day in days)
        )

    def _is_cast_like(self, day: _SmallDay) -> bool:
        if self.read is None or day.read is None:
            return True
        return day.selected is self.selected and bool(day.read.schema == self.read.schema)


def _small_day(asked: AskedDays, read: pa.RecordBatch | None) -> _SmallDay | None:
    """None: these are several days."""
    if len(asked.windows) > 1:
        return None
    selected = asked.statements[0].selected if asked.statements else ()
    nbytes = 0 if read is None else read.nbytes
    return _SmallDay(window=asked.windows[0], selected=selected, read=read, nbytes=nbytes)
