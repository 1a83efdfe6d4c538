"""What get_queryset() returns → a QuerySet with a column for each field of the dataclass, or why it is none."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import starmap
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import FieldError
from django.db.models import Manager, QuerySet
from django.db.models.query import ValuesListIterable

from exporter.errors import ExporterError, ExtractionError, raised_by
from exporter.extractors import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from exporter.querysets import QuerySetExtractor

D = TypeVar("D")

_CHUNK_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A QuerySet that iterates tuples, and the names of what they hold."""

    queryset: QuerySet[Any, Any]
    names: tuple[str, ...]

    def rows(self, row_class: type[D]) -> Iterator[D]:
        """As many as the database has, a chunk at a time."""
        fields = [field for field in dataclasses.fields(row_class) if field.init]  # type: ignore[arg-type] # is one
        tuples = self.queryset.iterator(chunk_size=_CHUNK_ROWS)
        if any(field.kw_only for field in fields):
            return (row_class(**dict(zip(self.names, values, strict=True))) for values in tuples)
        places = [self.names.index(field.name) for field in fields]
        if places != sorted(places):
            tuples = map(itemgetter(*places), tuples)
        return starmap(row_class, tuples)


def select(extractor: QuerySetExtractor[Any], date_start: datetime, date_end: datetime) -> Selection:
    """Ask for the QuerySet of one day. Raises ExtractionError."""
    location = f"{path_of(extractor)}, {date_start.date()}"
    try:
        found: object = extractor.get_queryset(date_start, date_end)
    except ExporterError:
        raise
    except Exception as error:
        raise raised_by("get_queryset()", error, location=location) from error
    if not isinstance(found, QuerySet):
        hint = "Call .all() or .filter(…) on it" if isinstance(found, Manager) else "Return Model.objects.filter(…)"
        raise ExtractionError(
            location=location,
            problem=f"get_queryset() returned {_kind(found)} instead of a QuerySet.",
            remedy=f"{hint}, for a day without rows Model.objects.none().",
        )
    queryset: Any = found  # the names of its parts are not public
    alias = extractor.get_database()
    if queryset._db not in {None, alias}:
        raise ExtractionError(
            location=location,
            problem=f"get_queryset() reads DATABASES[{queryset._db!r}], and get_database() says {alias!r}.",
            remedy=f"Return {queryset._db!r} from get_database(), or leave .using(…) out.",
        )
    wanted = [field.name for field in dataclasses.fields(extractor.get_dataclass()) if field.init]
    if queryset._fields is None:  # of models
        queryset = queryset.values_list(*(name for name in wanted if _has(queryset, name)))
    names = _names(queryset)
    if set(names) != set(wanted) or len(names) != len(wanted):
        raise ExtractionError(
            location=location,
            problem=f"get_queryset() {_difference(names, wanted)}.",
            remedy="Select exactly the fields of the dataclass, in any order, e.g. "
            f"{_example(wanted)}; .values(field=F('column')) renames a column.",
        )
    return Selection(queryset=_tuples(queryset, alias), names=names)


def _has(queryset: Any, name: str) -> bool:
    try:
        queryset.values_list(name)
    except FieldError:
        return False
    return True


def _names(queryset: Any) -> tuple[str, ...]:
    """Of the columns, in their order. With some twice, these are all that there are."""
    query = queryset.query
    if len(set(queryset._fields)) < len(queryset._fields):
        return tuple(queryset._fields)
    if query.selected:
        return tuple(query.selected)
    return (*query.extra_select, *query.values_select, *query.annotation_select)


def _tuples(queryset: Any, alias: str) -> QuerySet[Any, Any]:
    """The same rows, whether it had dicts, tuples, named ones or single values, of the database that the unit's
    snapshot is of, also where a router would choose another. Prefetched models have no place in them.
    """
    tuples: Any = queryset._chain()
    tuples._db = alias
    tuples._iterable_class = ValuesListIterable
    tuples._prefetch_related_lookups = ()
    selected: QuerySet[Any, Any] = tuples
    return selected


def _difference(names: tuple[str, ...], wanted: list[str]) -> str:
    missing = [name for name in wanted if name not in names]
    extra = [name for name in dict.fromkeys(names) if name not in wanted]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    parts = (
        ("does not select {}", missing),
        ("selects {}, which the dataclass does not have", extra),
        ("selects {} more than once", twice),
    )
    return "; ".join(text.format(", ".join(found)) for text, found in parts if found)


def _example(wanted: list[str]) -> str:
    return f".values_list({', '.join(map(repr, wanted))})"


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return "None" if value is None else type(value).__name__
