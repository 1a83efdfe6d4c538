"""A database of Django's → a connection of ADBC's that reads what Django's reads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from django.db import connections

from exporter.errors import in_a_line
from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from exporter.statements import Selected, Statement
    from exporter.stored import Given

_SOURCES = {
    "postgresql": ("exporter.adbc_postgresql", "PostgresqlSource"),
    "sqlite": ("exporter.adbc_sqlite", "SqliteSource"),
}


class DirectSource(Protocol):
    """Made inside the transaction of Django's connection, closed after it."""

    def begin(self) -> None: ...
    def require_same_session(self) -> None: ...
    def ask(self, statement: Statement) -> None: ...
    def batches(self) -> Iterator[pa.RecordBatch]: ...
    def read(self, selected: Selected, field: pa.Field, array: pa.Array) -> Given: ...
    def is_lost(self) -> bool: ...
    def leave(self) -> None: ...
    def close(self) -> None: ...


def source_of(alias: str) -> DirectSource:
    """Raises RowsNeededError: another database, no driver, or no way to read beside Django's connection."""
    vendor = connections[alias].vendor
    if vendor not in _SOURCES:
        raise RowsNeededError(f"ADBC is not used for {vendor}")
    module, name = _SOURCES[vendor]
    try:
        make = getattr(import_module(module), name)
    except ImportError as error:
        raise RowsNeededError(f"{error}: pip install 'smolqwery-terraform[adbc]'") from error
    try:
        source: DirectSource = make(connections[alias])
    except RowsNeededError:
        raise
    except Exception as error:  # settings of a backend that is only derived from Django's
        raise RowsNeededError(in_a_line(error)) from error
    return source
