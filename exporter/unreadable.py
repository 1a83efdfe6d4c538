"""A QuerySet that cannot be read to its end → the value that neither its driver nor Django can make anything of."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from django.db import connections

from exporter.errors import RowError, in_a_line
from exporter.extractors import path_of
from exporter.refused_values import shown
from exporter.selection import select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

    from exporter.days import Window
    from exporter.querysets import QuerySetExtractor

_CHUNK_ROWS = 2_000
_SECONDS = 60.0  # for the search: a message without the row is better than none


def unreadable_value(extractor: QuerySetExtractor[Any], day: Window, raised: Exception) -> RowError | None:
    """Read the day once more, value by value, to the one that `raised` this. None: it cannot be found."""
    try:
        return _first(extractor, day, raised)
    except Exception:  # noqa: BLE001 - of the search: what was raised before is what counts
        return None


def _first(extractor: QuerySetExtractor[Any], day: Window, raised: Exception) -> RowError | None:
    selection = select(extractor, day.start, day.end)
    connection = connections[extractor.get_database()]
    compiler: Any = selection.queryset.query.get_compiler(using=connection.alias)
    sql, params = compiler.as_sql()
    expressions = [expression for expression, _, _ in compiler.select]
    converters: dict[int, tuple[Any, Any]] = compiler.get_converters(expressions)
    until = time.monotonic() + _SECONDS
    for number, raw in enumerate(_READERS[connection.vendor](connection, sql, params), 1):
        for place, (expression, (value, load)) in enumerate(zip(expressions, raw, strict=False)):
            try:
                _convert(load(value), *converters.get(place, ((), None)), connection)
            except Exception as error:  # noqa: BLE001 - this may be what is looked for
                if not _is_same(error, raised):
                    continue  # Python's driver makes None of some text, and nothing is wrong with that
                return RowError(
                    extractor=path_of(extractor),
                    day=day.day,
                    row=number,
                    column=selection.names[place],
                    problem=f"{_written(value)} cannot be read as {type(expression.output_field).__name__}: "
                    f"{_reason(error)}.",
                    remedy="Mend it in the database, or let get_queryset() leave its row out.",
                )
        if time.monotonic() > until:
            return None
    return None


def _is_same(error: Exception, raised: Exception) -> bool:
    if isinstance(error, UnicodeDecodeError) and "Could not decode to UTF-8" in str(raised):
        return True
    return type(error).__name__ == type(raised).__name__ and in_a_line(error) == in_a_line(raised)


def _written(value: object) -> str:
    if isinstance(value, bytes):
        with suppress(UnicodeDecodeError):
            return shown(value.decode())
    return shown(value)


def _reason(error: Exception) -> str:
    """Of decimal's errors the text is a list of classes."""
    return type(error).__name__ if isinstance(error, ArithmeticError) else in_a_line(error)


def _convert(value: Any, converters: Sequence[Any], expression: Any, connection: BaseDatabaseWrapper) -> None:
    """As Django does with what its driver gives."""
    for converter in converters:
        value = converter(value, expression, connection)


_Raw: TypeAlias = "list[tuple[Any, Callable[[Any], Any]]]"
"""Of a row: each as it is in the database, and what the driver makes of it."""


def _of_postgresql(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> Iterator[_Raw]:
    """As text, which is how psycopg asks for values."""
    oids = [column.type_code for column in _described(connection, sql, params)]
    driver: Any = connection.connection
    adapters = driver.adapters
    loaders = [(adapters.get_loader(oid, 0) or adapters.get_loader(0, 0))(oid, driver) for oid in oids]
    loads = [lambda text, loader=loader: None if text is None else loader.load(text.encode()) for loader in loaders]
    names = [f"c{place}" for place, _ in enumerate(oids)]
    for row in _rows(connection, sql, params, names, ", ".join(f"{name}::text" for name in names)):
        yield list(zip(row, loads, strict=True))


def _of_sqlite(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> Iterator[_Raw]:
    """Of expressions the driver knows no type, and text is asked for as bytes: both are read here."""
    names = [f"c{place}" for place, _ in enumerate(_described(connection, sql, params))]
    values = ", ".join(
        f"typeof({name}), CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) ELSE {name} END" for name in names
    )
    for row in _rows(connection, sql, params, names, values):
        yield [
            (value, bytes.decode if kind == "text" else _itself)
            for kind, value in zip(row[::2], row[1::2], strict=True)
        ]


def _described(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> Sequence[Any]:
    """The columns of the result."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({sql}) AS q LIMIT 0", params)  # noqa: S608 - Django's own
        columns: Sequence[Any] = cursor.description
        return columns


def _rows(
    connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any], names: Sequence[str], selected: str
) -> Iterator[tuple[Any, ...]]:
    """`selected`: of the result's columns, called by `names`."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"WITH q ({', '.join(names)}) AS ({sql}) SELECT {selected} FROM q", params)  # noqa: S608 - as above
        while rows := cursor.fetchmany(_CHUNK_ROWS):
            yield from rows


def _itself(value: Any) -> Any:
    return value


_READERS: dict[str, Callable[[BaseDatabaseWrapper, str, Sequence[Any]], Iterator[_Raw]]] = {
    "postgresql": _of_postgresql,
    "sqlite": _of_sqlite,
}
