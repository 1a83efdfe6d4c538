"""Record batches → what AppendRows requests carry of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from exporter.arrays import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

Batch: TypeAlias = pa.RecordBatch

TARGET_BYTES = 1_500_000
"""Of one AppendRows request. Larger ones are not faster, and each connection keeps memory for some of them."""
MAX_BYTES = 7_000_000
"""As above: BigQuery refuses 10 MB, schema and framing included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One AppendRows request: a serialized record batch."""

    rows: int
    data: memoryview


class Payloads:
    """Gathers batches up to about 1.5 MB, so that small days share a request."""

    def __init__(self) -> None:
        self._waiting: list[Batch] = []
        self._bytes = 0

    def add(self, batch: Batch, nbytes: int) -> Iterator[Payload]:
        """`nbytes`: its own."""
        if self._bytes + nbytes > TARGET_BYTES:
            yield from self.flush()
        self._waiting.append(batch)
        self._bytes += nbytes

    def flush(self) -> Iterator[Payload]:
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if waiting:
            yield from _payloads(joined(waiting))


def _payloads(batch: Batch) -> Iterator[Payload]:
    data = serialized(batch)
    if len(data) > MAX_BYTES and batch.num_rows > 1:
        half = batch.num_rows // 2
        yield from _payloads(batch.slice(0, half))
        yield from _payloads(batch.slice(half))
    else:
        yield Payload(rows=batch.num_rows, data=data)


def serialized(batch: Batch) -> memoryview:
    """Of Arrow's own memory, which goes back as a whole. In Python's, megabytes leave holes that add up."""
    return memoryview(batch.serialize())
