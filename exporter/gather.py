"""Rows → one list of values a column, by a function that is generated for the dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from exporter.annotations import Mode, Type
from exporter.gather_code import MADE, GatherCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exporter.schema import Column


@dataclass(slots=True, kw_only=True)
class Gathered:
    """The values of one column in a chunk of rows, nested as its columns are."""

    column: Column
    values: list[Any] = field(default_factory=list)
    """Of all but RECORDs. A TIMESTAMP as the timedelta since 1970-01-01 UTC, JSON as text, a bytearray as bytes."""
    lengths: list[int] = field(default_factory=list)
    """Of a REPEATED column: how many elements each row has."""
    present: list[bool] = field(default_factory=list)
    """Of a NULLABLE RECORD: which rows have one. The fields of the others hold None."""
    fields: tuple[Gathered, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows and their columns. The rows are kept to find the one that a message must name."""

    rows: list[object]
    columns: tuple[Gathered, ...]


class Gatherer:
    """Takes rows of one dataclass from an iterator, a chunk at a time."""

    # One loop with bound `append`s: twice as fast as a comprehension a column and thirty times as fast as
    # dataclasses.asdict. Values are read as each row is yielded, so an extractor may change and yield a row again.

    def __init__(self, row_class: type, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        source = GatherCode()
        source.row_class(row_class)
        for column in columns:
            source.column(column, "row", indent=8)
        self._gather = source.compile()

    def take(self, rows: Iterator[object], limit: int, chunk: Chunk) -> None:
        """Move up to `limit` rows into `chunk`, a fresh one.

        Raises what the iterator raises, and any other exception for a row (the last in `chunk.rows`) that does not fit.
        """
        sinks: list[Callable[[Any], None]] = []
        for gathered in chunk.columns:
            _collect_sinks(gathered, sinks)
        self._gather(islice(rows, limit), chunk.rows.append, sinks)

    def chunk(self) -> Chunk:
        """An empty one."""
        return Chunk(rows=[], columns=tuple(map(_empty, self._columns)))


def _empty(column: Column) -> Gathered:
    return Gathered(column=column, fields=tuple(map(_empty, column.fields)))


def _collect_sinks(gathered: Gathered, sinks: list[Callable[[Any], None]]) -> None:
    """In the order in which `GatherCode` numbers them."""
    column = gathered.column
    if column.mode is Mode.REPEATED:
        sinks.append(gathered.lengths.append)
    if column.type is Type.RECORD:
        if column.mode is Mode.NULLABLE:
            sinks.append(gathered.present.append)
        for child in gathered.fields:
            _collect_sinks(child, sinks)
    elif column.mode is Mode.REPEATED and column.type not in MADE:
        sinks.append(gathered.values.extend)
    else:
        sinks.append(gathered.values.append)
