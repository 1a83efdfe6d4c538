"""A day of an extractor → its rows."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from contextlib import ExitStack, closing, contextmanager
from traceback import clear_frames, walk_tb
from typing import TYPE_CHECKING, Any

from exporter.batches import Batches
from exporter.errors import ExporterError, ExtractionError, raised_by
from exporter.extractors import is_aggregated, path_of
from exporter.querysets import QuerySetExtractor, yields_its_queryset
from exporter.snapshot import snapshot
from exporter.statements import RowsNeededError
from exporter.tables import table_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from exporter.days import Window
    from exporter.direct import DirectReader
    from exporter.extractors import BaseExtractor
    from exporter.payloads import Batch


_BY_ROWS = "read row by row, not through ADBC"


def read_rows(extractor: BaseExtractor[Any], day: Window) -> Iterator[dict[str, Any]]:
    """The rows of one day as BigQuery would show them, by column. Raises ExtractionError."""
    with snapshot(extractor.get_database()):
        if not day.is_empty:
            for batch in batches_of(extractor).of_day(rows_of(extractor, day), day):
                yield from batch.to_pylist()


@contextmanager
def reading(
    extractor: BaseExtractor[Any],
    batches: Batches,
    days: Iterable[Window],
    tell: Callable[[str], None],
    *,
    by_rows: bool,
) -> Iterator[Callable[[Window], Iterator[Batch]]]:
    """`days`, which have instants, in one snapshot: what is yielded gives the batches of each, asked for in this order.

    Those of a QuerySetExtractor come without rows, unless `by_rows`, as far as they can, and `tell` is told why they
    cannot. Where that shows in the middle of a day RowsNeededError is raised: of this snapshot nothing may be kept.
    """
    with ExitStack() as after, snapshot(extractor.get_database()) as own, ExitStack() as inside:
        direct = None if by_rows else _direct(extractor, batches, days, after, tell, own=own)

        def of_day(day: Window) -> Iterator[Batch]:
            nonlocal direct
            started = False
            try:
                if direct is not None:
                    for batch in direct.of_day(day):
                        started = True
                        yield batch
                    return
            except RowsNeededError as reason:
                tell(f"{_BY_ROWS}: {reason}.")
                if direct is not None:
                    direct.leave()
                direct = None
                if started or reason.anew:
                    raise
            rows = inside.enter_context(closing(rows_of(extractor, day)))
            try:
                yield from batches.of_day(rows, day)
            except Exception as error:
                if isinstance(extractor, QuerySetExtractor):
                    let_go(error)
                raise

        yield of_day


def let_go(error: BaseException | None) -> None:
    """Of what the frames of its traceback hold, and of what only cycles hold: a cursor would outlive its transaction,
    and closing itself then would break another.
    """
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
    gc.collect()


def _direct(  # noqa: PLR0913 - as above, and what is closed after it
    extractor: BaseExtractor[Any],
    batches: Batches,
    days: Iterable[Window],
    after: ExitStack,
    tell: Callable[[str], None],
    *,
    own: bool,
) -> DirectReader | None:
    """None: by rows. Closed `after` the snapshot. Raises RowsNeededError when it takes another one."""
    if not isinstance(extractor, QuerySetExtractor) or is_aggregated(extractor):  # a row a day is not worth it
        return None
    from exporter.direct import DirectReader  # noqa: PLC0415 - for QuerySets alone, with what they may need

    try:
        if not own:
            raise RowsNeededError("its transaction may hold rows that no other connection sees")  # noqa: TRY301
        direct = DirectReader(extractor, batches, days)
        after.callback(direct.close)
        direct.begin()
    except RowsNeededError as reason:
        tell(f"{_BY_ROWS}: {reason}.")
        if reason.anew:
            raise
        return None
    return direct


def batches_of(extractor: BaseExtractor[Any]) -> Batches:
    return Batches(
        extractor=path_of(extractor),
        row_class=extractor.get_dataclass(),
        columns=table_columns(extractor),
        date_field=extractor.get_date_field(),
        aggregated=is_aggregated(extractor),
    )


def rows_of(extractor: BaseExtractor[Any], day: Window) -> Generator[object]:
    """What `extract()` yields for one day, which has instants. Raises ExtractionError when it raises."""
    try:
        yield from _extracted(extractor, day)
    except ExporterError:
        raise
    except Exception as error:
        raise _located(extractor, day, error) from error


def _located(extractor: BaseExtractor[Any], day: Window, error: Exception) -> ExtractionError:
    location = f"{path_of(extractor)}, {day.day}"
    if not yields_its_queryset(extractor):
        return raised_by("extract()", error, location=location)
    from exporter.unreadable import unreadable_value  # noqa: PLC0415 - with Django's models, for QuerySets alone

    if _made_a_row(error):
        return raised_by(f"{extractor.get_dataclass().__name__}()", error, location=location)
    return unreadable_value(extractor, day, error) or raised_by("reading its QuerySet", error, location=location)


def _made_a_row(error: Exception) -> bool:
    """Whether it came from within an `__init__()` that dataclasses has written."""
    codes = (frame.f_code for frame, _ in walk_tb(error.__traceback__))
    return any(code.co_name == "__init__" and code.co_filename == "<string>" for code in codes)


def _extracted(extractor: BaseExtractor[Any], day: Window) -> Iterable[object]:
    rows: object = extractor.extract(day.start, day.end)
    if not isinstance(rows, Iterable):
        raise ExtractionError(
            location=f"{path_of(extractor)}, {day.day}",
            problem=f"extract() returned {'None' if rows is None else type(rows).__name__} instead of rows.",
            remedy="Yield them, or return a list of them: an empty one for a day without rows.",
        )
    return rows
