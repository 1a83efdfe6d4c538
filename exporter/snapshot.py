"""A database → one consistent view of it for as long as a unit is read."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.db import Error, InterfaceError, OperationalError, connections, transaction

from exporter.errors import ConnectionLostError, ExporterError, ExtractionError, in_a_line

if TYPE_CHECKING:
    from collections.abc import Iterator

MEND_DATABASE = "Mend the database or its settings, then run the command again."


@contextmanager
def snapshot(alias: str) -> Iterator[bool]:
    """Read one snapshot of the database `alias`. Yields whether its transaction is its own.

    PostgreSQL: REPEATABLE READ, READ ONLY, and server-side cursors without WITH HOLD, which would copy their result
    first. Inside an open transaction (a team's TestCase) its isolation is left alone.

    Raises ConnectionLostError where another try may succeed: the database cannot be reached, or what was raised inside
    came of a lost connection; ExtractionError: the database cannot be read.
    """
    connection = connections[alias]
    if connection.vendor == "unknown":  # settings without DATABASES: the extractor reads something else
        yield False
        return
    own = not connection.in_atomic_block
    read_only = own and connection.vendor == "postgresql"
    if read_only and not connection.settings_dict["AUTOCOMMIT"]:
        raise ExtractionError(
            location=f"DATABASES[{alias!r}]",
            problem="AUTOCOMMIT is False: a transaction that Django has begun cannot become a snapshot.",
            remedy="Leave AUTOCOMMIT out, or name an alias without it in get_database().",
        )
    with ExitStack() as opened:
        try:
            opened.enter_context(transaction.atomic(using=alias))
            if read_only:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        except Error as error:
            kind = ConnectionLostError if lost_connection(alias, error) else ExtractionError
            location, problem = f"DATABASES[{alias!r}]", f"cannot be read: {in_a_line(error)}."
            raise kind(location=location, problem=problem, remedy=MEND_DATABASE) from error
        try:
            yield own
        except Exception as error:
            if not lost_connection(alias, error):
                raise
            raise _lost(alias, error) from error
        if read_only:
            # Nothing to commit, and a commit would raise after the days of a unit that were read, had the
            # connection broken after them.
            transaction.set_rollback(True, using=alias)


def lost_connection(alias: str, error: BaseException) -> bool:
    """Whether `error` came of a connection to the database `alias` that is gone. True also where none can be made.

    To be asked inside `snapshot`: Django connects again when it leaves a transaction.
    """
    connection = connections[alias]
    if connection.vendor == "sqlite" or _database_error(error) is None or connection.is_usable():
        return False
    # A transaction that failed (statement_timeout) makes a PostgreSQL connection unusable until it is rolled back, and
    # leaves it open.
    return bool(getattr(connection.connection, "closed", True))


def _lost(alias: str, error: Exception) -> ConnectionLostError:
    return ConnectionLostError(
        location=error.location if isinstance(error, ExporterError) else f"DATABASES[{alias!r}]",
        problem=f"the connection to DATABASES[{alias!r}] was lost: {in_a_line(_database_error(error))}.",
        remedy=MEND_DATABASE,
    )


def _database_error(error: BaseException | None) -> Error | None:
    """What the driver raised, where `error` came of it; of the kinds that a lost connection has."""
    while error is not None and not isinstance(error, (InterfaceError, OperationalError)):
        error = error.__cause__ or error.__context__
    return error
