"""Serialized record batches of a unit → one to four finalized write streams. commits.py makes them visible, at once."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from exporter import steps
from exporter.waits import taken
from exporter.write_stream import CLOSE_SECONDS, WriteStream

if TYPE_CHECKING:
    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

MAX_UNACKNOWLEDGED = 8
"""Requests of all streams of a unit together: they are what stays in memory. With four streams each has one that
BigQuery works at and one on its way.
"""

# BigQuery promises one connection 1 MB/s and often gives it 10 (https://cloud.google.com/bigquery/docs/write-api-best-practices),
# which is less than most databases give. A stream costs a call to open and one to finalize, a second or two where
# BigQuery is busy: so one that is opened has several seconds of rows to take. Four, because a project may have
# 1,000 connections in a region, and may open 10,000 streams an hour, over all tables and tasks.
STREAM_BYTES = 64_000_000
MAX_STREAMS = 4

_MOMENT_SECONDS = 5.0  # at 1 MB/s a request takes four


class WriteStreams(AbstractContextManager["WriteStreams"]):
    """As long as little is sent, one stream. Leaving the context without `finalize` abandons all."""

    def __init__(self, client: BigQueryWriteClient, *, table_path: str, schema: bytes, location: str) -> None:
        """Opens none yet."""
        self._client = client
        self._table_path = table_path
        self._schema = schema
        self._location = location
        self._streams: list[WriteStream] = []
        self._replies: SimpleQueue[None] = SimpleQueue()
        self._rows = self._bytes = 0

    def __exit__(self, *_exc_info: object) -> None:
        """Within four seconds, whatever the server does. Leaves no thread and no call, also when it is interrupted."""
        until = time.monotonic() + CLOSE_SECONDS
        with ExitStack() as leaving:  # the last first: all are cancelled before one is waited for
            for stream in self._streams:
                leaving.callback(stream.join, until=until)
            for stream in self._streams:
                leaving.callback(stream.cancel)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(stream.name for stream in self._streams)

    def append(self, *, rows: int, data: bytes | memoryview) -> None:
        """Send one serialized record batch by the stream that has least to do; wait while eight are unacknowledged.

        Raises WriteError: BigQuery refused an earlier one, or acknowledged none for two minutes.
        """
        self._take_replies()
        while sum(stream.unacknowledged for stream in self._streams) >= MAX_UNACKNOWLEDGED:
            self._wait_for_a_reply()
        if len(self._streams) < min(MAX_STREAMS, 1 + self._bytes // STREAM_BYTES):
            self._open()
        stream = min(self._streams, key=lambda one: (one.unacknowledged, one.rows))
        stream.append(rows=rows, data=data, elsewhere=self._rows - stream.rows)
        self._rows += rows
        self._bytes += len(data)

    def finalize(self) -> None:
        """Wait for all acknowledgements and seal the streams. Raises WriteError, also for another row count."""
        for stream in self._streams:
            stream.finalize()
            steps.reached("finalized")

    def _open(self) -> None:
        stream = WriteStream(
            self._client,
            table_path=self._table_path,
            schema=self._schema,
            location=self._location,
            replied=lambda: self._replies.put(None),
        )
        self._streams.append(stream)
        steps.reached("opened")

    def _wait_for_a_reply(self) -> None:
        """Of any stream: one that is slow must not hold up the others."""
        try:
            taken(self._replies, _MOMENT_SECONDS)
        except Empty:
            # Something is wrong: the one that is most behind asks again in time, and in time gives up.
            behind = max(self._streams, key=lambda one: one.unacknowledged)
            behind.take_acknowledgement(already=_MOMENT_SECONDS)
        self._take_replies()

    def _take_replies(self) -> None:
        # Their number in the queue may be too large by those taken while nobody waited: that only asks once more.
        for stream in self._streams:
            stream.take_what_is_there()
