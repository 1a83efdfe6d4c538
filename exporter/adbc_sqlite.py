"""Django's connection to a file of SQLite → an ADBC connection that reads the same snapshot.

The driver brings a SQLite of its own, and two of them in one process do not see each other's locks
(https://www.sqlite.org/howtocorrupt.html, "Multiple copies of SQLite linked into the same application"). So ours opens
the file read-only and reads only while Django's holds a read lock on the same snapshot, and Django's is closed before
ours: closing a file drops all locks that the process has on it.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from adbc_driver_manager import OperationalError
from adbc_driver_sqlite import dbapi

from exporter.adbc import ArrowReader
from exporter.sqlite_types import CONVERTERS, require_declared
from exporter.sqlite_versions import Models, difference
from exporter.statements import RowsNeededError
from exporter.stored import of_sqlite
from exporter.typed_sql import ODD_VALUE, bindable, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.statements import Statement

_ROWS, _BATCH_ROWS = "adbc.sqlite.query.batch_rows", 1_024
_TIMEOUT_SECONDS = 5.0  # of Python's driver

_SESSION = "SELECT COUNT(*), (SELECT COUNT(*) FROM sqlite_temp_master), 'a' LIKE 'A' FROM sqlite_master"

_QUOTED = re.compile(r'"(?:[^"]|"")*"(?!\s*\()')
_WORD = re.compile(r"\w+")


class SqliteSource:
    """Made and used inside the transaction whose snapshot it shall read, closed after it."""

    read = staticmethod(of_sqlite)

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        """Raises RowsNeededError: no file, or not alone with it."""
        name = str(connection.settings_dict["NAME"])
        if ":memory:" in name or "mode=memory" in name:
            raise RowsNeededError("a database in memory has one connection")
        if threading.current_thread() is not threading.main_thread():
            raise RowsNeededError("two copies of SQLite do not see each other's locks in several threads")
        if getattr(connection, "transaction_mode", None) not in {None, "DEFERRED"}:
            raise RowsNeededError("its transactions begin with a lock")
        if connection.timezone_name != "UTC":
            raise RowsNeededError(f"its datetimes are local to {connection.timezone_name}")
        if connection.connection.text_factory is not str or not CONVERTERS.issuperset(sqlite3.converters):
            raise RowsNeededError("its driver makes something else of text or of a type")
        self._connection = connection
        self._changes = connection.connection.total_changes
        # Pragmas, which take no snapshot yet: see below.
        (path,) = (row[2] for row in self._ask("PRAGMA database_list") if row[1] == "main")
        self._functions = self._own_functions()
        uri = f"file:{quote(path)}?mode=ro"
        self._reader = ArrowReader(
            lambda: dbapi.connect(uri, autocommit=True), {_ROWS: f"{_BATCH_ROWS}"}, rows_option=_ROWS
        )
        self._sql: tuple[tuple[str, list[type]], str] | None = None
        self._tables: dict[str, dict[str, str]] = {}
        self._version, self._alike = "", 1

    def begin(self) -> None:
        """Read what Django's connection reads. Raises RowsNeededError, and what the drivers raise."""
        timeout = float(self._connection.get_connection_params().get("timeout", _TIMEOUT_SECONDS))
        self._reader.open()
        self._reader.execute(f"PRAGMA busy_timeout = {int(timeout * 1000)}")
        # Where nobody has written between our two looks, Django's snapshot, taken between them, is the same as ours.
        (before,) = self._reader.execute("PRAGMA data_version")
        ((_, temporary, self._alike),) = self._ask(_SESSION)
        *_, after, ours, self._version = self._reader.execute(
            "BEGIN", "PRAGMA data_version", "SELECT 'a' LIKE 'A'", "SELECT sqlite_version()"
        )
        if before != after:
            raise RowsNeededError("somebody wrote while the snapshot was taken")
        if temporary:
            raise RowsNeededError("its connection has temporary tables or views")
        if self._alike != ours:
            raise RowsNeededError("its connection compares text in another way")

    def require_same_session(self) -> None:
        """Raises RowsNeededError: get_queryset() has changed Django's, which ours is like."""
        ((_, temporary, alike),) = self._ask(_SESSION)
        if temporary or alike != self._alike or self._functions != self._own_functions():
            raise RowsNeededError("get_queryset() changes its connection")

    def ask(self, statement: Statement) -> None:
        """Raises RowsNeededError: rows that only Django's connection sees, SQL that only it understands."""
        if self._connection.connection.total_changes != self._changes:
            raise RowsNeededError("its transaction writes, too")
        asked = statement.sql, list(map(type, statement.params))
        if self._sql is None or self._sql[0] != asked:  # the same on every day, mostly
            self._refuse_functions(statement.sql)
            self._refuse_differences(statement)
            require_declared(statement, self._connection, self._tables)
            self._sql = asked, typed(statement)
        self._reader.ask(self._sql[1], bindable(statement.params))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Raises RowsNeededError: bytes in the place of text, or the other way round. And what the driver raises."""
        first_row = 1
        try:
            for batch in self._reader.batches():
                if batch.num_rows > first_row:
                    yield batch.slice(first_row)
                first_row = 0
        except OperationalError as error:
            if ODD_VALUE in str(error):
                raise RowsNeededError("a value of another type than Django's") from error
            raise

    def is_lost(self) -> bool:
        """A file has no connection to lose."""
        return False

    def leave(self) -> None:
        """Nothing: a reader is in nobody's way, and closing it has to wait, see above."""

    def close(self) -> None:
        self._connection.close()  # first: see above
        self._reader.close()

    @cached_property
    def _models(self) -> Models:
        return Models(self._connection)

    def _refuse_functions(self, sql: str) -> None:
        """Django has many written in Python, some in place of SQLite's own, and a team can add more."""
        used = self._functions.intersection(word.lower() for word in _WORD.findall(_QUOTED.sub("", sql)))
        if used:
            raise RowsNeededError(f"only Django's connection has {', '.join(sorted(used))}()")

    def _refuse_differences(self, statement: Statement) -> None:
        ours, its = self._version, sqlite3.sqlite_version
        if ours != its and (different := difference(statement.sql, statement.params, self._models)):
            raise RowsNeededError(f"SQLite {its} of Django's driver and {ours} of ADBC's may differ in {different}")

    def _own_functions(self) -> frozenset[str]:
        """Those that were added to SQLite's."""
        return frozenset(name.lower() for name, builtin, *_ in self._ask("PRAGMA function_list") if not builtin)

    def _ask(self, sql: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            rows: list[Any] = cursor.fetchall()
            return rows
