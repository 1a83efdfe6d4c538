"""Extractors: what a team subclasses, and what their settings name → instances."""

from __future__ import annotations

import inspect
import typing
from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.utils.module_loading import import_string

from exporter.errors import SchemaError, SettingsError
from exporter.names import snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

D = TypeVar("D")


class ExtractorType(Enum):
    """How rows relate to days.

    `individual_rows`: any number of rows a day, each with a date field of its own (`get_date_field()`).
    `date_aggregated`: exactly one row a day; the date column is added, the dataclass does not have it.
    """

    individual_rows = "individual_rows"
    date_aggregated = "date_aggregated"


class BaseExtractor(ABC, Generic[D]):
    """Yields the rows of one table, one local day at a time. `D` is the dataclass of a row."""

    def get_dataclass(self) -> type[D]:
        """The dataclass of a row; by default the `D` of `BaseExtractor[D]`."""
        for cls in type(self).__mro__:
            for base in getattr(cls, "__orig_bases__", ()):
                origin = typing.get_origin(base)
                if isinstance(origin, type) and issubclass(origin, BaseExtractor):
                    (argument,) = typing.get_args(base)[:1]
                    if isinstance(argument, type):
                        return argument
        raise SchemaError(
            location=path_of(self),
            problem="its dataclass is not known.",
            remedy="Name it, as in `class UserExtractor(BaseExtractor[User])`, or override get_dataclass().",
        )

    @abstractmethod
    def get_extractor_type(self) -> ExtractorType:
        """Whether the rows are aggregated by date or individual."""

    @abstractmethod
    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[D]:
        """Yield the rows of one day: all that is true from `date_start` (inclusive) to `date_end` (exclusive).

        Both are aware, in Django's time zone, so `date_start.date()` is the day. The day can have 23 or 25 hours.
        """

    def get_date_field(self) -> str:
        """The column that holds a row's day or instant."""
        return "date" if self.get_extractor_type() is ExtractorType.date_aggregated else "timestamp"

    def get_table_name(self) -> str:
        """The BigQuery table; by default the dataclass's name in snake_case."""
        return snake_case(self.get_dataclass().__name__)

    def get_description(self) -> str:
        """The table's description; by default the dataclass's docstring."""
        row_class = self.get_dataclass()
        docstring = row_class.__doc__ or ""
        if docstring == _written_by_dataclasses(row_class):
            return ""
        return "\n".join(line.strip() for line in docstring.strip().splitlines())

    def get_partitioning(self) -> str | None:
        """HOUR, DAY, MONTH or YEAR of the date field, or None; by default DAY for individual rows."""
        return None if self.get_extractor_type() is ExtractorType.date_aggregated else "DAY"

    def get_partition_expiration(self) -> timedelta | None:
        """The age at which BigQuery drops a partition; None: never."""
        return None

    def get_clustering_fields(self) -> Sequence[str]:
        """Up to four columns that BigQuery sorts the table by."""
        return ()

    def get_database(self) -> str:
        """The alias of the Django database that is read: a unit reads one snapshot of it."""
        return "default"


def _written_by_dataclasses(row_class: type) -> str:
    """Where none is given: the signature. https://docs.python.org/3/library/dataclasses.html#dataclasses.dataclass"""
    return f"{row_class.__name__}{inspect.signature(row_class)}".replace(" -> None", "")


def load_extractors(paths: Sequence[str], *, first_position: int = 0) -> list[BaseExtractor[Any]]:
    """The extractors that SMOLQWERY_EXTRACTORS names from `first_position` on, one instance each.

    Raises SettingsError: a path that does not import, or is not a BaseExtractor that can be made without arguments.
    """
    return [_load(path, position) for position, path in enumerate(paths, first_position)]


def path_of(extractor: BaseExtractor[Any]) -> str:
    """Dotted, as in SMOLQWERY_EXTRACTORS."""
    return f"{type(extractor).__module__}.{type(extractor).__qualname__}"


def is_aggregated(extractor: BaseExtractor[Any]) -> bool:
    """One row a day, its date column added."""
    return extractor.get_extractor_type() is ExtractorType.date_aggregated


def _load(path: object, position: int) -> BaseExtractor[Any]:
    setting = f"SMOLQWERY_EXTRACTORS[{position}]"
    if not isinstance(path, str):
        raise SettingsError(
            location=setting, problem=f"{path!r} is not a string.", remedy="Write 'package.module.ExtractorClass'."
        )
    try:
        found = import_string(path)
    except Exception as error:  # a module of the team may raise anything when it is imported
        raise SettingsError(
            location=setting,
            problem=f"cannot import {path!r}: {_words(error)}.",
            remedy="Write 'package.module.ExtractorClass', importable from the project.",
        ) from error
    if not (isinstance(found, type) and issubclass(found, BaseExtractor)):
        raise SettingsError(
            location=setting,
            problem=f"{path!r} is not a subclass of exporter.BaseExtractor.",
            remedy="Name an extractor class.",
        )
    try:
        extractor: BaseExtractor[Any] = found()
    except Exception as error:
        raise SettingsError(
            location=setting,
            problem=f"{path!r} cannot be made: {error}.",
            remedy=_missing(found) or "Let __init__() take no arguments, and work without a database.",
        ) from error
    return extractor


def _missing(extractor_class: type[BaseExtractor[Any]]) -> str | None:
    names = sorted(extractor_class.__abstractmethods__)
    return f"Implement {' and '.join(f'{name}()' for name in names)}." if names else None


def _words(error: Exception) -> str:
    """Not of all kinds of errors does the text say what happened: that of a KeyError is the key."""
    return str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
