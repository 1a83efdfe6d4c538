"""Django's connection to PostgreSQL → an ADBC connection with the same settings, session and snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from adbc_driver_postgresql import dbapi
from django.db import Error, transaction

from exporter.adbc import ArrowReader
from exporter.errors import in_a_line
from exporter.postgresql_session import Session, names_asked_for
from exporter.statements import RowsNeededError
from exporter.stored import of_postgresql, require_local_instants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.statements import Selected, Statement
    from exporter.stored import Given

_BATCH_BYTES = 1_000_000

_ANSWER_SECONDS = 5.0  # a pooler that is full would let us wait, perhaps for ourselves

_NOT_LIBPQ = frozenset(
    {"async", "autocommit", "connection_factory", "context", "cursor_factory", "prepare_threshold", "row_factory"}
)
"""What psycopg's connect() takes besides."""

# Who waits for a lock of ours is not known to who waits for him, where both have a connection of the same unit.
_LOCK_MILLISECONDS = 2_000


class PostgresqlSource:
    """Made and used inside the transaction whose snapshot it shall read."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        """Raises RowsNeededError: the server binds parameters, and finds other types for them than in their SQL."""
        features: Any = connection.features
        if features.uses_server_side_binding:
            raise RowsNeededError("its parameters are bound by the server")
        conninfo = _conninfo(connection.get_connection_params())
        self._connection = connection
        self._operations: Any = connection.ops
        self._session: Session | None = None
        self._locked = set[str]()
        self._reader = ArrowReader(
            lambda: dbapi.connect(conninfo, autocommit=True),
            {"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)},
            seconds=_ANSWER_SECONDS,
        )

    def begin(self) -> None:
        """Read what Django's connection reads. Raises RowsNeededError, and what the drivers raise."""
        try:
            # Its transaction is idle while its snapshot is read, which may take long.
            self._ask("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
            session = self._session = Session.of(self._ask, names_asked_for(self._ask))
            ((snapshot,),) = self._ask("SELECT pg_export_snapshot()")
        except Error as error:  # a database that only resembles PostgreSQL
            raise RowsNeededError(in_a_line(error), anew=True) from error
        if session.time_zone != self._connection.timezone_name:
            raise RowsNeededError(
                f"its session's time zone is {session.time_zone}, not {self._connection.timezone_name}"
            )
        if session.temporary:
            raise RowsNeededError("its session has temporary tables or views")
        if session.float_digits < 1:
            raise RowsNeededError("its session rounds floats (extra_float_digits)")
        compose = self._operations.compose_sql
        lock_milliseconds = min(session.lock_milliseconds or _LOCK_MILLISECONDS, _LOCK_MILLISECONDS)
        # In parallel, which no cursor reads, floats are added up in another order.
        own = {"lock_timeout": f"{lock_milliseconds}", "max_parallel_workers_per_gather": "0"}
        settings = dict(session.settings) | own
        setting = ", ".join(["set_config(%s, %s, true)"] * len(settings))
        self._reader.open()
        (ours,) = self._reader.execute("SELECT session_user::text")
        if ours != session.user:
            raise RowsNeededError(f"its session is authorized as {session.user}, who does not connect")
        # All of the transaction alone: behind a pooler the session is of others, too.
        self._reader.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            compose("SET TRANSACTION SNAPSHOT %s", [snapshot]),
            compose(f"SELECT {setting}", [part for pair in settings.items() for part in pair]),
            *([compose("SET LOCAL ROLE %s", [session.role])] if session.role != "none" else ()),
        )

    def require_same_session(self) -> None:
        """Raises RowsNeededError: get_queryset() has changed Django's, which ours has been made like."""
        before = self._session
        if before is None or Session.of(self._ask, before.own_names) != before:
            raise RowsNeededError("get_queryset() changes its session")

    def ask(self, statement: Statement) -> None:
        """By the very text that Django would send: the parameters are in it as psycopg writes them.

        Raises RowsNeededError: it asks for settings, which may be those of Django's session alone. And what Django's
        driver raises.
        """
        if "current_setting" in statement.sql.lower():
            raise RowsNeededError("it asks for settings of its session")
        sql = self._operations.compose_sql(statement.sql, statement.params)
        if statement.sql not in self._locked:
            self._lock(sql)
            self._locked.add(statement.sql)
        self._reader.ask(sql)

    def read(self, selected: Selected, field: pa.Field, array: pa.Array) -> Given:
        """Raises as of_postgresql does."""
        kind, array = of_postgresql(selected, field, array)
        if kind is datetime and self._connection.timezone_name != "UTC":
            require_local_instants(array)
        return kind, array

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Raises what the driver raises."""
        return self._reader.batches()

    def is_lost(self) -> bool:
        """Whether the connection is gone, asked after an error. What has failed in one that lives is undone."""
        try:
            self._reader.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - a driver's, of any kind
            return True
        return False

    def leave(self) -> None:
        self._reader.close()

    def close(self) -> None:
        self._reader.close()

    def _lock(self, sql: str) -> None:
        """What it reads, for as long as Django's transaction lasts, where none of ours can be in its way: else a change
        of the table that waits for ours would stop Django's, and both for ever.
        """
        with transaction.atomic(using=self._connection.alias):
            self._ask("EXPLAIN " + sql.replace("%", "%%"))

    def _ask(self, sql: str, *params: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[Any] = cursor.fetchall()
            return rows


def _conninfo(params: Mapping[str, Any]) -> str:
    """As libpq reads it. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE"""
    return " ".join(
        f"{name}='{_escaped(value)}'" for name, value in params.items() if name not in _NOT_LIBPQ and value is not None
    )


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'")
