"""A QuerySet's days → record batches of the table, without a row of Python's."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import QuerySet

from exporter.arrays import joined
from exporter.casts import cast
from exporter.direct_source import source_of
from exporter.errors import ConnectionLostError, ExporterError, in_a_line
from exporter.extractors import path_of
from exporter.plain_rows import require_plain
from exporter.querysets import QuerySetExtractor
from exporter.refused_values import ValueRefusedError
from exporter.selection import select
from exporter.snapshot import MEND_DATABASE
from exporter.statements import RowsNeededError, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from exporter.batches import Batches
    from exporter.days import Window
    from exporter.payloads import Batch
    from exporter.statements import Selected, Statement

# To ask for a few hundred rows and to cast them costs more than to read them: so the database is some days ahead, and
# what several days have is cast at once.
_DAYS_AHEAD = 8
_TOGETHER_DAYS, _TOGETHER_BYTES = 32, 1_000_000


class DirectReader:
    """Of one unit. Nothing that it has raised RowsNeededError for may be asked of it again."""

    def __init__(self, extractor: QuerySetExtractor[Any], batches: Batches, days: Iterable[Window]) -> None:
        """Raises RowsNeededError: another database, a dataclass that does more than to hold values, no driver."""
        if type(extractor).extract is not QuerySetExtractor.extract:
            raise RowsNeededError("extract() is overridden")
        require_plain(extractor.get_dataclass())
        self._extractor = extractor
        self._batches = batches
        self._days = days
        self._alias = extractor.get_database()
        self._source = source_of(self._alias)
        self._before: Statement | None = None
        self._read = self._read_days()

    def begin(self) -> None:
        """Take the snapshot, before anything else does. Raises RowsNeededError."""
        try:
            self._source.begin()
        except RowsNeededError:
            raise
        except Exception as error:
            raise RowsNeededError(in_a_line(error)) from error

    def close(self) -> None:
        self._source.close()

    def of_day(self, window: Window) -> Iterator[Batch]:
        """As Batches.of_day, of the next one of the days.

        Raises ConnectionLostError, what `select` raises, and RowsNeededError for all else.
        """
        for day, batch in self._read:
            if day != window:
                break
            if batch is None:
                return
            yield batch
        raise RowsNeededError("another day was to follow")

    def _read_days(self) -> Iterator[tuple[Window, Batch | None]]:
        """The batches of each day, and then None. Days of one small batch each are cast together."""
        small: list[_SmallDay] = []
        size = 0
        for window, found in self._ask_ahead():
            try:
                reads, selected = self._read_day(window, found)
                first = next(reads, None)
                second = None if first is None else next(reads, None)
            except Exception:
                yield from self._cast_together(small)  # those before it are as good as ever
                raise
            day = _SmallDay(window=window, selected=selected, read=first)
            if small and (second is not None or not day.goes_with(small)):
                yield from self._cast_together(small)
                small, size = [], 0
            if second is None:
                small.append(day)
                size += 0 if first is None else first.nbytes
                if len(small) == _TOGETHER_DAYS or size >= _TOGETHER_BYTES:
                    yield from self._cast_together(small)
                    small, size = [], 0
            else:
                yield from self._cast_alone(window, selected, chain([first, second], reads))
        yield from self._cast_together(small)

    def _ask_ahead(self) -> Iterator[tuple[Window, Statement | Exception | None]]:
        """What came of each day is said when its turn comes: None, there are no rows; an exception, it cannot be read.

        By then the database has been asked for some of the days after it.
        """
        asked: deque[tuple[Window, Statement | Exception | None]] = deque()
        for window in self._days:
            asked.append((window, self._ask(window)))
            if len(asked) > _DAYS_AHEAD:
                yield asked.popleft()
        while asked:
            yield asked.popleft()

    def _ask(self, window: Window) -> Statement | Exception | None:
        try:
            selection = select(self._extractor, window.start, window.end)
            if type(selection.queryset).iterator is not QuerySet.iterator:
                raise RowsNeededError("its QuerySet has an iterator() of its own")  # noqa: TRY301
            found = statement(selection, self._batches.columns, connections[self._alias], self._before)
            if found is not None:
                self._source.ask(found)
                self._before = found
        except (ExporterError, RowsNeededError) as error:
            return error
        except Exception as error:  # noqa: BLE001 - of get_queryset(), or of a driver: rows tell
            return RowsNeededError(in_a_line(error))
        return found

    def _read_day(
        self, window: Window, found: Statement | Exception | None
    ) -> tuple[Iterator[pa.RecordBatch], tuple[Selected, ...]]:
        if isinstance(found, Exception):
            raise found
        return (iter(()), ()) if found is None else (self._reads(window), found.selected)

    def _reads(self, window: Window) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._source.batches()
        except RowsNeededError:
            raise
        except Exception as error:
            if self._source.is_lost():
                raise ConnectionLostError(
                    location=f"{path_of(self._extractor)}, {window.day}",
                    problem=f"the connection to DATABASES[{self._alias!r}] was lost: {in_a_line(error)}.",
                    remedy=MEND_DATABASE,
                ) from error
            raise RowsNeededError(in_a_line(error)) from error

    def _cast_together(self, days: Sequence[_SmallDay]) -> Iterator[tuple[Window, Batch | None]]:
        read = [day for day in days if day.read is not None]
        try:
            arrays = self._arrays(joined([day.read for day in read]), read[0].selected) if len(read) > 1 else None
        except RowsNeededError:  # of one of them: the others need not know
            arrays = None
        start = 0
        for day in days:
            if day.read is None:
                yield day.window, None
            elif arrays is None:
                yield from self._cast_alone(day.window, day.selected, [day.read])
            else:
                size = day.read.num_rows
                its = {name: array.slice(start, size) for name, array in arrays.items()}
                start += size
                yield day.window, self._batch(its, 0, day.window)
                yield day.window, None

    def _cast_alone(
        self, window: Window, selected: tuple[Selected, ...], reads: Iterable[pa.RecordBatch]
    ) -> Iterator[tuple[Window, Batch | None]]:
        done = 0
        for read in reads:
            batch = self._batch(self._arrays(read, selected), done, window)
            yield window, batch
            done += batch.num_rows
        yield window, None

    def _arrays(self, read: pa.RecordBatch, selected: tuple[Selected, ...]) -> dict[str, pa.Array]:
        return {
            one.column.name: cast(self._source.read, one, field, array)
            for one, field, array in zip(selected, read.schema, read.columns, strict=True)
        }

    def _batch(self, arrays: Mapping[str, pa.Array], done: int, window: Window) -> Batch:
        try:
            return self._batches.of_arrays(arrays, done, window)
        except (ExporterError, ValueRefusedError) as refused:  # rows have better words for it
            raise RowsNeededError(in_a_line(refused)) from refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _SmallDay:
    """All that was read of a day, not cast yet."""

    window: Window
    selected: tuple[Selected, ...]
    read: pa.RecordBatch | None

    def goes_with(self, days: Sequence[_SmallDay]) -> bool:
        """Whether its values are cast as theirs are."""
        return self.read is None or all(
            day.read is None or (day.selected is self.selected and day.read.schema == self.read.schema) for day in days
        )
