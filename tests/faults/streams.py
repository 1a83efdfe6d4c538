"""Appends at explicit offsets → rows of PENDING streams, and, all at once, of their table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from google.rpc import code_pb2

from faults.errors import AppendError
from faults.rows import accepted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pyarrow as pa

    from faults.clock import Clock
    from faults.tables import Table, Tables

LIFETIME = timedelta(hours=24)


@dataclass(slots=True, kw_only=True, eq=False)
class Stream:
    """One stream. `batches` are its rows until they are the table's."""

    name: str
    table: Table
    created: datetime
    batches: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    finalized: bool = False
    committed: datetime | None = None


class Streams:
    """All streams. The tables' lock guards them."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock
        self._streams: dict[str, Stream] = {}

    def create(self, parent: str, dataset: str, table: str) -> Stream:
        """Raises ApiError: no such table."""
        with self._tables.lock:
            made = Stream(
                name=f"{parent}/streams/{uuid4()}",
                table=self._tables.table(dataset, table),
                created=self._clock.now(),
            )
            self._streams[made.name] = made
            return made

    def get(self, name: str) -> Stream | None:
        """None: never made, of a table that is another one now, or 24 hours old."""
        with self._tables.lock:
            stream = self._streams.get(name)
            if stream is None or not self._tables.is_there(stream.table):
                return None
            return stream if self._clock.now() - stream.created < LIFETIME else None

    def forget(self) -> None:
        """As when they expire, but now. Rows that were committed stay in their table."""
        with self._tables.lock:
            self._streams.clear()

    def append(self, stream: Stream, batch: pa.RecordBatch, offset: int | None) -> int:
        """The offset at which the rows are now. Raises AppendError."""
        with self._tables.lock:
            if stream.finalized:
                raise AppendError(
                    f"Stream is finalized. Entity: {stream.name}",
                    code=code_pb2.FAILED_PRECONDITION,
                    storage="STREAM_FINALIZED",
                )
            at = stream.rows if offset is None else offset
            if at != stream.rows:
                raise _wrong_offset(stream, at)
            rows = accepted(batch, stream.table.columns)
            stream.batches.append(rows)
            stream.rows += rows.num_rows
            return at

    def finalize(self, stream: Stream) -> int:
        """How many rows it has. Repeatable."""
        with self._tables.lock:
            stream.finalized = True
            return stream.rows

    def commit(self, names: Sequence[str]) -> tuple[datetime | None, dict[str, str]]:
        """All or none: when, or what is wrong with which."""
        with self._tables.lock:
            found = {name: self.get(name) for name in names}
            errors = {name: code for name, stream in found.items() if (code := _uncommittable(stream)) is not None}
            if errors:
                return None, errors
            streams = [stream for stream in found.values() if stream is not None]
            self._tables.insert([(stream.table, batch) for stream in streams for batch in stream.batches])
            now = self._clock.now()
            for stream in streams:
                stream.committed = now
                stream.batches.clear()
            return now, {}


def _uncommittable(stream: Stream | None) -> str | None:
    if stream is None:
        return "STREAM_NOT_FOUND"
    if stream.committed is not None:
        return "STREAM_ALREADY_COMMITTED"
    return None if stream.finalized else "INVALID_STREAM_STATE"


def _wrong_offset(stream: Stream, offset: int) -> AppendError:
    if offset < stream.rows:
        return AppendError(
            f"The offset is within stream, expected offset {stream.rows}, received {offset}. Entity: {stream.name}",
            code=code_pb2.ALREADY_EXISTS,
            storage="OFFSET_ALREADY_EXISTS",
        )
    return AppendError(
        f"The offset is beyond stream, expected offset {stream.rows}, received {offset}. Entity: {stream.name}",
        code=code_pb2.OUT_OF_RANGE,
        storage="OFFSET_OUT_OF_RANGE",
    )
