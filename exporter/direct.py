"""A QuerySet's days → record batches of the table, without a row of Python's."""

from __future__ import annotations

import dataclasses
import inspect
from collections import deque
from importlib import import_module
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Protocol

from django.db import connections
from django.db.models import QuerySet

from exporter.casts import cast
from exporter.errors import ConnectionLostError, ExporterError, in_a_line
from exporter.extractors import path_of
from exporter.querysets import QuerySetExtractor
from exporter.refused_values import ValueRefusedError
from exporter.selection import select
from exporter.snapshot import MEND_DATABASE
from exporter.statements import RowsNeededError, Selected, Statement, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from exporter.batches import Batch, Batches
    from exporter.days import Window
    from exporter.stored import Given

_SOURCES = {
    "postgresql": ("exporter.adbc_postgresql", "PostgresqlSource"),
    "sqlite": ("exporter.adbc_sqlite", "SqliteSource"),
}


class Source(Protocol):
    """A connection of ADBC's that reads what Django's reads. Made inside that one's transaction, closed after it."""

    def begin(self) -> None: ...
    def ask(self, statement: Statement) -> None: ...
    def batches(self) -> Iterator[pa.RecordBatch]: ...
    def read(self, selected: Selected, field: pa.Field, array: pa.Array) -> Given: ...
    def is_lost(self) -> bool: ...
    def close(self) -> None: ...


class DirectReader:
    """Of one unit. Nothing that it has raised RowsNeededError for may be asked of it again."""

    def __init__(self, extractor: QuerySetExtractor[Any], batches: Batches) -> None:
        """Raises RowsNeededError: another database, a dataclass that does more than to hold values, no driver."""
        if type(extractor).extract is not QuerySetExtractor.extract:
            raise RowsNeededError("extract() is overridden")
        _require_plain(extractor.get_dataclass())
        self._extractor = extractor
        self._batches = batches
        self._alias = extractor.get_database()
        self._source = _source(self._alias)
        self._asked: deque[tuple[Window, Statement | Exception | None]] = deque()

    def begin(self) -> None:
        """Take the snapshot, before anything else does. Raises RowsNeededError."""
        try:
            self._source.begin()
        except RowsNeededError:
            raise
        except Exception as error:
            raise RowsNeededError(in_a_line(error)) from error

    def close(self) -> None:
        self._source.close()

    def of_day(self, window: Window, following: Window | None) -> Iterator[Batch]:
        """As Batches.of_day; the database is asked for the following day before this one's batches are taken.

        Raises ConnectionLostError, what `select` raises, and RowsNeededError for all else.
        """
        if not self._asked:
            self._asked.append((window, self._ask(window)))
        asked, found = self._asked.popleft()
        if asked != window:
            raise RowsNeededError("another day was to follow")
        if isinstance(found, Exception):
            raise found
        if following is not None:
            self._asked.append((following, self._ask(following)))
        if found is None:
            return
        done = 0
        for read in self._read(window):
            batch = self._batch(read, found.selected, done, window)
            yield batch
            done += batch.num_rows

    def _ask(self, window: Window) -> Statement | Exception | None:
        """What came of it is said when the day is read: None, there are no rows; an exception, it cannot be."""
        try:
            selection = select(self._extractor, window.start, window.end)
            if type(selection.queryset).iterator is not QuerySet.iterator:
                raise RowsNeededError("its QuerySet has an iterator() of its own")  # noqa: TRY301
            found = statement(selection, self._batches.columns, connections[self._alias])
            if found is not None:
                self._source.ask(found)
        except (ExporterError, RowsNeededError) as error:
            return error
        except Exception as error:  # noqa: BLE001 - of get_queryset(), or of a driver: rows tell
            return RowsNeededError(in_a_line(error))
        return found

    def _read(self, window: Window) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._source.batches()
        except RowsNeededError:
            raise
        except Exception as error:
            if self._source.is_lost():
                raise ConnectionLostError(
                    location=f"{path_of(self._extractor)}, {window.day}",
                    problem=f"the connection to DATABASES[{self._alias!r}] was lost: {in_a_line(error)}.",
                    remedy=MEND_DATABASE,
                ) from error
            raise RowsNeededError(in_a_line(error)) from error

    def _batch(self, read: pa.RecordBatch, selected: tuple[Selected, ...], done: int, window: Window) -> Batch:
        arrays = {
            one.column.name: cast(self._source.read, one, field, array)
            for one, field, array in zip(selected, read.schema, read.columns, strict=True)
        }
        try:
            return self._batches.of_arrays(arrays, done, window)
        except (ExporterError, ValueRefusedError) as refused:  # rows have better words for it
            raise RowsNeededError(in_a_line(refused)) from refused


def _source(alias: str) -> Source:
    vendor = connections[alias].vendor
    if vendor not in _SOURCES:
        raise RowsNeededError(f"ADBC is not used for {vendor}")
    module, name = _SOURCES[vendor]
    try:
        make = getattr(import_module(module), name)
    except ImportError as error:
        raise RowsNeededError(f"{error}: pip install 'smolqwery-terraform[adbc]'") from error
    try:
        source: Source = make(connections[alias])
    except RowsNeededError:
        raise
    except Exception as error:  # settings of a backend that is only derived from Django's
        raise RowsNeededError(in_a_line(error)) from error
    return source


def _require_plain(row_class: type) -> None:
    """Raise RowsNeededError: the fields of a row are not just the values that it was made of."""
    fields = dataclasses.fields(row_class)
    parameters: Any = vars(row_class).get("__dataclass_params__")
    hooks = ["__new__", "__getattribute__", *(() if parameters and parameters.frozen else ("__setattr__",))]
    plain = (
        parameters is not None
        and parameters.init
        and not hasattr(row_class, "__post_init__")
        and all(getattr(row_class, hook) is getattr(object, hook) for hook in hooks)
        and len(inspect.signature(row_class).parameters) == len(fields)
        and not any(_is_computed(inspect.getattr_static(row_class, field.name, None)) for field in fields)
    )
    if not plain:
        raise RowsNeededError(f"{row_class.__name__} computes its fields")


def _is_computed(attribute: object) -> bool:
    return hasattr(type(attribute), "__get__") and not isinstance(attribute, MemberDescriptorType)
