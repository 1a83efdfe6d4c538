"""Serialized record batches → one finalized PENDING write stream: open, append, finalize.

Not the library's AppendRowsStream: it loses requests when the first call fails, hides the reason, and sends past a hole
after a break. Here a window of appends stays until BigQuery has acknowledged it, and is sent again, in order, by a new
call; explicit offsets make that harmless.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types

from exporter.append_call import Append, AppendCall
from exporter.errors import WriteError
from exporter.patience import CALL_SECONDS, RETRY, TRANSIENT, pauses, words
from exporter.shield import shielded
from exporter.waits import sleep

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

NOTHING_VISIBLE = "Nothing of it is visible. Run the command again: it starts with the same day."

UNACKNOWLEDGED_SECONDS = 120.0
"""The longest that anybody waits for one acknowledgement."""

CLOSE_SECONDS = 4.0
"""The longest that anybody waits for cancelled calls to end."""

_SILENCE_SECONDS = 30.0  # then a new call: several are tried before the stream is given up
_NOT_FOUND_SECONDS = 30.0  # a stream just made is not known everywhere at once
_MAX_HOLES = 5


class WriteStream:
    """One PENDING stream of a table. BigQuery collects one that is not committed."""

    def __init__(
        self,
        client: BigQueryWriteClient,
        *,
        table_path: str,
        schema: bytes,
        location: str,
        replied: Callable[[], object],
    ) -> None:
        """Open the stream. `replied` is called, on another thread, after each reply. Raises WriteError."""
        self._client = client
        self._schema = schema
        self._location = location
        self._replied = replied
        self._window: deque[Append] = deque()
        self._call: AppendCall | None = None
        self.rows = 0
        stream = types.WriteStream(type_=types.WriteStream.Type.PENDING)
        try:
            opened = shielded(
                lambda: client.create_write_stream(
                    parent=table_path, write_stream=stream, retry=RETRY, timeout=CALL_SECONDS
                )
            )
        except exceptions.GoogleAPIError as error:
            raise self._error(f"cannot open a write stream: {words(error)}") from error
        self.name: str = opened.name

    @property
    def unacknowledged(self) -> int:
        return len(self._window)

    def append(self, *, rows: int, data: bytes | memoryview, elsewhere: int = 0) -> None:
        """Send one serialized record batch, without waiting. `elsewhere`: rows of its unit that went to other streams.

        Whoever sends bounds what is unacknowledged.
        """
        append = Append(offset=self.rows, before=elsewhere + self.rows, rows=rows, data=data)
        call = self._open_call()
        self._window.append(append)
        self.rows += rows
        call.send(append)

    def take_what_is_there(self) -> None:
        """Of acknowledgements; waits only for one that must be asked for again. Raises WriteError."""
        while self._window and self._open_call().has_reply:
            self.take_acknowledgement()

    def take_acknowledgement(self, *, already: float = 0.0) -> None:
        """Of the first append in the window, with as many calls as that takes. `already`: seconds waited before.

        Raises WriteError: BigQuery refused it, or acknowledged nothing for two minutes.
        """
        append = self._window[0]
        started = time.monotonic() - already
        holes = 0
        for pause in pauses():
            left = UNACKNOWLEDGED_SECONDS - (time.monotonic() - started)
            try:
                # The last call is given a moment, too: what it says tells more than that it was cut off.
                self._open_call().take_reply(append, seconds=min(_SILENCE_SECONDS, max(1.0, left)))
            except exceptions.GoogleAPICallError as error:
                self._drop_call()
                waited = time.monotonic() - started
                holes += isinstance(error, exceptions.OutOfRange)
                if not _may_pass(error, waited=waited, holes=holes):
                    raise self._error(_refusal(append, error, holes=holes)) from error
                if waited + pause > UNACKNOWLEDGED_SECONDS:
                    within = f"no acknowledgement within {UNACKNOWLEDGED_SECONDS:.0f} s"
                    raise self._error(f"{within}: {words(error)}") from error
                sleep(pause)
            else:
                self._window.popleft()
                return

    def finalize(self) -> None:
        """Wait for all acknowledgements and seal the stream. Raises WriteError, also for another row count."""
        while self._window:
            self.take_acknowledgement()
        try:
            reply = shielded(
                lambda: self._client.finalize_write_stream(name=self.name, retry=RETRY, timeout=CALL_SECONDS)
            )
        except exceptions.GoogleAPIError as error:
            raise self._error(f"cannot finalize the write stream: {words(error)}") from error
        if reply.row_count != self.rows:
            raise self._error(f"BigQuery counts {reply.row_count:,} rows in the write stream, {self.rows:,} were sent")

    def cancel(self) -> None:
        """End the present call, if there is one."""
        if self._call is not None:
            self._call.cancel()

    def join(self, *, until: float) -> None:
        """Leave no thread and no call, whatever the server does. After `cancel`; `until` as time.monotonic() has it."""
        if self._call is not None:
            self._call.join(until=until)

    def _open_call(self) -> AppendCall:
        """The present call, or a new one that begins with the window."""
        if self._call is None:
            self._call = AppendCall(self._client, stream=self.name, schema=self._schema, replied=self._replied)
            self._call.open()
            for append in self._window:
                self._call.send(append)
        return self._call

    def _drop_call(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call.join(until=time.monotonic() + CLOSE_SECONDS)
            self._call = None

    def _error(self, problem: str) -> WriteError:
        return WriteError(location=self._location, problem=f"{problem}.", remedy=NOTHING_VISIBLE)


def _may_pass(error: exceptions.GoogleAPICallError, *, waited: float, holes: int) -> bool:
    if isinstance(error, exceptions.OutOfRange):  # an append before this one was not written: they all go again
        return holes < _MAX_HOLES
    if isinstance(error, exceptions.NotFound):
        return waited < _NOT_FOUND_SECONDS
    return isinstance(error, TRANSIENT)


def _refusal(append: Append, error: exceptions.GoogleAPICallError, *, holes: int) -> str:
    if holes == _MAX_HOLES:
        return (
            f"BigQuery misses rows before row {append.before + 1:,} of the unit, also when they are sent "
            f"for the {holes}th time: {words(error)}"
        )
    return f"BigQuery refused the rows: {words(error)}"
