"""SQL → Arrow record batches, read by ADBC on a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from exporter.arrays import joined
from exporter.waits import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from adbc_driver_manager.dbapi import Connection, Cursor

    Job: TypeAlias = Callable[[Connection], object]

_BATCH_BYTES = 1_500_000
_AHEAD_HALVES = 4  # of so many bytes
_MAX_ROWS = 8_192  # of a driver that counts rows: those of the next days may be wider
_CLOSE_SECONDS, _CLOSE_TRIES = 2.0, 20


class ArrowReader:
    """One connection, and one thread that alone uses it: who waits for its batches can be interrupted by a signal,
    and casts and sends them while the database goes on. It is two large batches ahead, or some small ones, not more.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        options: Mapping[str, str],
        *,
        rows_option: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """`rows_option`: of a driver that counts its batches in rows. It is set when their width is known.

        `seconds`: how long to wait for the connection, and for each answer of `execute`.
        """
        self._seconds = seconds
        self._connect = connect
        self._options = options
        self._rows_option = rows_option
        self._row_bytes: int | None = None
        self._jobs: SimpleQueue[tuple[object, Job] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[object, Any, int]] = SimpleQueue()
        self._asked: deque[object] = deque()
        self._room = threading.Semaphore(_AHEAD_HALVES)
        self._cursor: Cursor | None = None
        self._left = False
        self._thread = threading.Thread(target=self._run, name="ADBC", daemon=True)

    def open(self) -> None:
        """Raises what the driver raises, and TimeoutError: it has not answered."""
        self._thread.start()
        try:
            self._take(self, self._seconds)
        except Empty:
            raise TimeoutError(f"no second connection within {self._seconds:.0f} s") from None

    def execute(self, *statements: str) -> list[Any]:
        """Their first values, None of those that have none. Raises as open()."""
        asked = object()
        self._jobs.put((asked, lambda connection: [self._first(connection, sql) for sql in statements]))
        try:
            values: list[Any] = self._take(asked, self._seconds)
        except Empty:
            raise TimeoutError(f"its second connection has not answered within {self._seconds:.0f} s") from None
        return values

    def ask(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Let it be read after what was asked before."""
        asked = object()
        self._asked.append(asked)
        self._jobs.put((asked, lambda connection: self._read(asked, connection, sql, params)))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Of what was asked first and is not read yet; none is empty. Raises what the driver raises."""
        asked = self._asked.popleft()
        while (batch := self._take(asked)) is not None:
            yield batch

    def close(self) -> None:
        """Cancels what it reads. Within two seconds, also when the database does not answer."""
        self._left = True
        self._jobs.put(None)
        self._room.release(_AHEAD_HALVES)
        for _ in range(_CLOSE_TRIES):
            if not self._thread.is_alive():
                break
            if (cursor := self._cursor) is not None:
                with suppress(Exception):  # it has ended, has not begun, or its driver cannot
                    cursor.adbc_cancel()
            self._thread.join(_CLOSE_SECONDS / _CLOSE_TRIES)

    def _take(self, asked: object, seconds: float | None = None) -> Any:
        """Its next result. Those of others are of no interest any more: they were left after an error.

        Raises Empty after so many seconds.
        """
        while True:
            job, result, halves = taken(self._results, seconds)
            if halves:
                self._room.release(halves)
            if job is asked:
                if isinstance(result, Exception):
                    raise result
                return result

    def _run(self) -> None:
        """On the thread."""
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - raised by who waits for it
            self._results.put((self, error, 0))
            return
        self._results.put((self, None, 0))
        try:
            while (job := self._jobs.get()) is not None and not self._left:
                asked, call = job
                try:
                    self._results.put((asked, call(connection), 0))
                except Exception as error:  # noqa: BLE001 - as above
                    self._results.put((asked, error, 0))
        finally:
            for closed in (self._cursor, connection):
                with suppress(Exception):  # of a connection that is gone
                    if closed is not None:
                        closed.close()

    def _first(self, connection: Connection, sql: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def _read(self, asked: object, connection: Connection, sql: str, params: Sequence[Any]) -> None:
        if self._cursor is None:
            self._cursor = connection.cursor(adbc_stmt_kwargs=dict(self._options))
        if self._rows_option and self._row_bytes:
            rows = max(1, min(_MAX_ROWS, _BATCH_BYTES // 2 // self._row_bytes))
            self._cursor.adbc_statement.set_options(**{self._rows_option: f"{rows}"})
        self._cursor.execute(sql, tuple(params) or None)  # prepared once, if it is the same as before
        for batch, size in _coalesced(self._cursor.fetch_record_batch()):
            self._row_bytes = 1 + size // batch.num_rows
            halves = min(2 * size // _BATCH_BYTES, _AHEAD_HALVES)
            for _ in range(halves):
                self._room.acquire()
            if self._left:
                return
            self._results.put((asked, batch, halves))


def _coalesced(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, int]]:
    """And the bytes of each. SQLite's are counted in rows, few enough that wide ones take no more memory than narrow
    ones can spare.
    """
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        waiting.append(batch)
        size += batch.nbytes
        if size >= _BATCH_BYTES:
            yield joined(waiting), size
            waiting, size = [], 0
    if waiting:
        yield joined(waiting), size
