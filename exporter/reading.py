"""A day of an extractor → its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from exporter.batches import Batches
from exporter.errors import ExporterError, ExtractionError, in_a_line
from exporter.extractors import is_aggregated, path_of
from exporter.snapshot import snapshot
from exporter.tables import table_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.days import Window
    from exporter.extractors import BaseExtractor


def read_rows(extractor: BaseExtractor[Any], day: Window) -> Iterator[dict[str, Any]]:
    """The rows of one day as BigQuery would show them, by column. Raises ExtractionError."""
    with snapshot(extractor.get_database()):
        if not day.is_empty:
            for batch in batches_of(extractor).of_day(rows_of(extractor, day), day):
                yield from batch.to_pylist()


def batches_of(extractor: BaseExtractor[Any]) -> Batches:
    return Batches(
        extractor=path_of(extractor),
        row_class=extractor.get_dataclass(),
        columns=table_columns(extractor),
        date_field=extractor.get_date_field(),
        aggregated=is_aggregated(extractor),
    )


def rows_of(extractor: BaseExtractor[Any], day: Window) -> Iterator[object]:
    """What `extract()` yields for one day, which has instants. Raises ExtractionError when it raises."""
    try:
        yield from _extracted(extractor, day)
    except ExporterError:
        raise
    except Exception as error:
        raise ExtractionError(
            location=f"{path_of(extractor)}, {day.day}",
            problem=f"extract() raised {type(error).__name__}: {in_a_line(error)}.",
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
