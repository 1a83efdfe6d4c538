"""A record batch of several days, one after the other → where each of them is in it."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from exporter.ranges import end_of, range_in
from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.ranges import Key
    from exporter.statements import Statement


class RangeDays:
    """Of all batches of one range, in their order."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        """Those of its days. Raises ValueError: they are of no range."""
        self._column = range_in(statements[0]).column
        self._ends = [end_of(statement) for statement in statements]
        self._day = 0
        self._last: Key | None = None

    def cut(self, batch: pa.RecordBatch) -> Iterator[tuple[int, int, int]]:
        """The number of a day, its first row, and how many it has: for each day that has any.

        Raises RowsNeededError: the rows are not in order, or not known to be.
        """
        keys = _keys(batch.column(self._column))
        self._require_order(keys)
        start = 0
        while start < len(keys):
            is_last = self._day == len(self._ends) - 1
            stop = len(keys) if is_last else _first_from(keys, self._ends[self._day], start)
            if stop > start:
                yield self._day, start, stop - start
            if stop < len(keys):
                self._day += 1
            start = stop

    def _require_order(self, keys: Any) -> None:
        falls = pc.any(pc.less(keys.slice(1), keys.slice(0, len(keys) - 1))).as_py()
        if falls or (self._last is not None and keys[0].as_py() < self._last):
            raise RowsNeededError("its rows are not in the order that was asked for")
        self._last = keys[len(keys) - 1].as_py()


def _first_from(keys: Any, end: Key, start: int) -> int:
    return bisect_left(range(len(keys)), end, lo=start, key=lambda place: keys[place].as_py())


def _keys(array: pa.Array) -> Any:
    if array.null_count or not (pa.types.is_binary(array.type) or pa.types.is_timestamp(array.type)):
        raise RowsNeededError(f"{array.type} instead of datetimes")
    return array if pa.types.is_binary(array.type) else array.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
