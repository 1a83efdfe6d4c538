"""A QuerySet's days → what the database has of each, asked for some days ahead and for several at once."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import QuerySet

from exporter.errors import ConnectionLostError, ExporterError, in_a_line
from exporter.extractors import path_of
from exporter.ranges import follows, joined_statement
from exporter.selection import select
from exporter.snapshot import MEND_DATABASE
from exporter.statements import RowsNeededError, statement
from exporter.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from exporter.days import Window
    from exporter.direct_source import DirectSource
    from exporter.querysets import QuerySetExtractor
    from exporter.schema import Column
    from exporter.selection import Selection
    from exporter.statements import Statement

# To ask for a few hundred rows costs more than to read them. So the database is some days ahead, and days as small as
# that are read by one statement, of no more rows than it sorts in a moment: by what is known of a few times fewer days.
_DAYS_AHEAD = 8
_RANGE_DAYS, _RANGE_ROWS = 32, 10_000
_TIMES = 4

_LIBPQ = re.compile(r"^.*?\b(?:FATAL|ERROR): +")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedDays:
    """One day, or several that one statement reads. Its batches are to be read before those of the next."""

    windows: Sequence[Window]
    statements: Sequence[Statement]
    """Of each day. None of a day that has no rows."""
    batches: Iterator[pa.RecordBatch]
    """They raise ConnectionLostError, what `select` raises, and RowsNeededError for all else."""


@dataclass(slots=True, kw_only=True)
class _Days:
    """One day, or several of statements that follow each other."""

    windows: list[Window] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    refusal: Exception | None = None
    """Why they, or those from here on, are not read. Without it, and without a statement, there are no rows."""


class AskedUnit:
    """All days of one, in their order."""

    def __init__(
        self, extractor: QuerySetExtractor[Any], columns: Sequence[Column], source: DirectSource, days: Iterable[Window]
    ) -> None:
        self._extractor = extractor
        self._columns = columns
        self._source = source
        self._windows = days
        self._alias = extractor.get_database()
        self._connection = connections[self._alias]
        self.failed = False
        """Whether get_queryset() has, of a day that may be some ahead: its transaction may be of no more use."""
        self._most_rows = 0  # that a day has had, or several on average
        self._most_days = 0  # that were read by one statement

    def __iter__(self) -> Iterator[AskedDays]:
        for days in self._ask_ahead():
            yield AskedDays(windows=days.windows, statements=days.statements, batches=self._batches(days))

    def _ask_ahead(self) -> Iterator[_Days]:
        """What came of days is said when their turn comes. By then the database is asked for some that follow."""
        ahead: deque[_Days] = deque()
        for days in self._together():
            self._ask(days)
            ahead.append(days)
            while ahead and (
                not self._most_days or sum(len(one.windows) for one in ahead) - len(ahead[0].windows) >= _DAYS_AHEAD
            ):
                yield ahead.popleft()
        yield from ahead

    def _ask(self, days: _Days) -> None:
        try:
            if days.statements:
                self._source.ask(joined_statement(days.statements))
        except RowsNeededError as error:
            days.refusal = error
        except Exception as error:  # noqa: BLE001 - of a driver: rows tell
            days.refusal = RowsNeededError(_said(error))

    def _together(self) -> Iterator[_Days]:
        before: Statement | None = None
        days = _Days()
        for window in self._windows:
            one = self._alone(window, before)
            if days.windows and not (one.statements and follows(days.statements[-1], one.statements[0])):
                yield days
                days = _Days()
            if not days.windows:
                days = one
            else:
                days.windows += one.windows
                days.statements += one.statements
            before = one.statements[0] if one.statements else before
            if not days.statements or days.statements[0].range is None or len(days.windows) >= self._limit():
                yield days
                days = _Days()
        if days.windows:
            yield days

    def _alone(self, window: Window, before: Statement | None) -> _Days:
        try:
            selection = self._select(window)
            if type(selection.queryset).iterator is not QuerySet.iterator:
                raise RowsNeededError("its QuerySet has an iterator() of its own")  # noqa: TRY301
            made = statement(selection, self._columns, self._connection, before)
        except (ExporterError, RowsNeededError) as error:
            return _Days(windows=[window], refusal=error)
        except Exception as error:  # noqa: BLE001 - of an expression: rows tell
            return _Days(windows=[window], refusal=RowsNeededError(in_a_line(error)))
        return _Days(windows=[window], statements=[made] if made else [])

    def _select(self, window: Window) -> Selection:
        """Raises RowsNeededError: what get_queryset() has done to its connection is not known of another."""
        try:
            with Watch(self._connection) as watch:
                selection = select(self._extractor, window.start, window.end)
        except ExporterError:
            self.failed = True
            raise
        watch.require_no_other()
        if watch.has_changed:
            self._source.require_same_session()
        return selection

    def _limit(self) -> int:
        """How many days one statement may read."""
        return max(1, min(_RANGE_DAYS, _TIMES * self._most_days, _RANGE_ROWS // max(1, self._most_rows)))

    def _batches(self, days: _Days) -> Iterator[pa.RecordBatch]:
        if days.refusal is not None:
            raise days.refusal
        if not days.statements:
            return
        rows = 0
        try:
            for batch in self._source.batches():
                yield batch
                rows += batch.num_rows
        except RowsNeededError:
            raise
        except Exception as error:
            if self._source.is_lost():
                raise ConnectionLostError(
                    location=f"{path_of(self._extractor)}, {_words(days.windows)}",
                    problem=f"the connection to DATABASES[{self._alias!r}] was lost: {_said(error)}.",
                    remedy=MEND_DATABASE,
                ) from error
            raise RowsNeededError(_said(error)) from error
        self._most_rows = max(self._most_rows, rows // len(days.windows))
        self._most_days = max(self._most_days, len(days.windows))


def _said(error: Exception) -> str:
    """By a driver, in PostgreSQL's words, without the SQL that it repeats: what a team filters by is not for a log."""
    return _LIBPQ.sub("", in_a_line(error).partition(" Query was:")[0]).rstrip(".")


def _words(windows: Sequence[Window]) -> str:
    first, last = windows[0].day, windows[-1].day
    return f"{first}" if first == last else f"{first} to {last}"
