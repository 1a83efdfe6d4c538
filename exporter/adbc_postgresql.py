"""Django's connection to PostgreSQL → an ADBC connection with the same settings, session and snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adbc_driver_postgresql import dbapi
from django.db import Error

from exporter.adbc import ArrowReader
from exporter.errors import in_a_line
from exporter.statements import RowsNeededError
from exporter.stored import of_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.statements import Statement

_BATCH_BYTES = 1_000_000

_NOT_LIBPQ = frozenset(
    {"async", "autocommit", "connection_factory", "context", "cursor_factory", "prepare_threshold", "row_factory"}
)
"""What psycopg's connect() takes besides."""

# Last, what was SET since the connection was made, by Django or by a receiver of a signal: time zone, search path,
# timeouts. Without it the same SQL could read something else. And Django's transaction is idle while its snapshot is
# read, which may take long.
_SESSION = """
SELECT
  set_config('idle_in_transaction_session_timeout', '0', true),
  pg_export_snapshot(),
  session_user::text,
  current_setting('role'),
  current_setting('TimeZone'),
  EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
  current_setting('extra_float_digits')::int,
  (
    SELECT json_object_agg(name, setting)::text FROM pg_settings
    WHERE source = 'session' AND name NOT LIKE 'transaction%%'
  )
"""

# Settings of a team's own (a tenant, for row level security) are in no list. They matter where somebody asks for them:
# a policy, a view, a function.
_OWN_SETTINGS = """
SELECT DISTINCT (regexp_matches(asked, 'current_setting\\s*\\(\\s*(?:''([^'']*)'')?', 'gi'))[1]
FROM (
  SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
  WHERE p.prokind IN ('f', 'p') AND l.lanname NOT IN ('c', 'internal')
    AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  UNION ALL SELECT qual FROM pg_policies
  UNION ALL SELECT definition FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
) AS sources (asked)
"""


class PostgresqlSource:
    """Made and used inside the transaction whose snapshot it shall read."""

    read = staticmethod(of_postgresql)

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        conninfo = _conninfo(connection.get_connection_params())
        self._connection = connection
        self._operations: Any = connection.ops
        self._reader = ArrowReader(
            lambda: dbapi.connect(conninfo, autocommit=True),
            {"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)},
        )

    def begin(self) -> None:
        """Read what Django's connection reads. Raises RowsNeededError, and what the drivers raise."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_SESSION, ())
                _, snapshot, user, role, time_zone, temporary, float_digits, session = cursor.fetchone()
                own = self._own_settings(cursor)
        except Error as error:  # a database that only resembles PostgreSQL
            raise RowsNeededError(in_a_line(error), anew=True) from error
        if time_zone != self._connection.timezone_name:
            raise RowsNeededError(f"its session's time zone is {time_zone}, not {self._connection.timezone_name}")
        if temporary:
            raise RowsNeededError("its session has temporary tables or views")
        if float_digits < 1:
            raise RowsNeededError("its session rounds floats (extra_float_digits)")
        compose = self._operations.compose_sql
        settings = json.loads(session or "{}") | own | {"idle_in_transaction_session_timeout": "0"}
        setting = ", ".join(["set_config(%s, %s, true)"] * len(settings))
        self._reader.open()
        (ours,) = self._reader.execute("SELECT session_user::text")
        if ours != user:
            raise RowsNeededError(f"its session is authorized as {user}, who does not connect")
        # All of the transaction alone: behind a pooler the session is of others, too.
        self._reader.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            compose("SET TRANSACTION SNAPSHOT %s", [snapshot]),
            *([compose("SET LOCAL ROLE %s", [role])] if role != "none" else ()),
            compose(f"SELECT {setting}", [part for pair in settings.items() for part in pair]),
        )

    def ask(self, statement: Statement) -> None:
        """By the very text that Django would send: the parameters are in it as psycopg writes them.

        Raises RowsNeededError: it asks for settings, which may be those of Django's session alone.
        """
        if "current_setting" in statement.sql.lower():
            raise RowsNeededError("it asks for settings of its session")
        self._reader.ask(self._operations.compose_sql(statement.sql, statement.params))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Raises what the driver raises."""
        return self._reader.batches()

    def _own_settings(self, cursor: Any) -> dict[str, str]:
        """Raises RowsNeededError: somebody asks for one whose name is computed."""
        cursor.execute(_OWN_SETTINGS, ())
        names = [name for (name,) in cursor.fetchall()]
        if None in names:
            raise RowsNeededError("a function, view or policy asks for a setting whose name it computes")
        own = {}
        for name in names:
            if "." not in name:
                continue  # PostgreSQL's, which are in its list
            cursor.execute("SELECT current_setting(%s, true)", (name,))
            (value,) = cursor.fetchone()
            if value is not None:
                own[name] = value
        return own

    def is_lost(self) -> bool:
        """Whether the connection is gone, asked after an error. What has failed in one that lives is undone."""
        try:
            self._reader.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - a driver's, of any kind
            return True
        return False

    def close(self) -> None:
        self._reader.close()


def _conninfo(params: Mapping[str, Any]) -> str:
    """As libpq reads it. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE"""
    return " ".join(
        f"{name}='{_escaped(value)}'" for name, value in params.items() if name not in _NOT_LIBPQ and value is not None
    )


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'")
