"""A database → one consistent view of it for as long as a unit is read."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.db import Error, connections, transaction

from exporter.errors import ExtractionError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def snapshot(alias: str) -> Iterator[None]:
    """Read one snapshot of the database `alias`.

    PostgreSQL: REPEATABLE READ, READ ONLY, and server-side cursors without WITH HOLD, which would copy their result
    first. Inside an open transaction (a team's TestCase) its isolation is left alone.

    Raises ExtractionError: the database cannot be reached.
    """
    connection = connections[alias]
    if connection.vendor == "unknown":  # settings without DATABASES: the extractor reads something else
        yield
        return
    read_only = connection.vendor == "postgresql" and not connection.in_atomic_block
    with ExitStack() as opened:
        try:
            opened.enter_context(transaction.atomic(using=alias))
            if read_only:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        except Error as error:
            raise ExtractionError(
                location=f"DATABASES[{alias!r}]",
                problem=f"cannot be read: {' '.join(str(error).split()).rstrip('.?')}.",
                remedy="Mend the database or its settings, then run the command again.",
            ) from error
        yield
        if read_only:
            # Nothing to commit, and a commit would raise after the days of a unit that were read, had the
            # connection broken after them.
            transaction.set_rollback(True, using=alias)
