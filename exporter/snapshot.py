"""A database → one consistent view of it for as long as a unit is read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connections, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def snapshot(alias: str) -> Iterator[None]:
    """Read one snapshot of the database `alias`.

    PostgreSQL: REPEATABLE READ, READ ONLY, and server-side cursors without WITH HOLD, which would copy their result
    first. Inside an open transaction (a team's TestCase) its isolation is left alone.
    """
    connection = connections[alias]
    if connection.vendor == "unknown":  # settings without DATABASES: the extractor reads something else
        yield
        return
    outermost = not connection.in_atomic_block
    with transaction.atomic(using=alias):
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
