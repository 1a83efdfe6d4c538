"""Extractors: what a team subclasses, and what their settings name → instances with checked columns."""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.utils.module_loading import import_string

from exporter.errors import SchemaError, SettingsError
from exporter.names import column_name_problem, delta_view_name, snake_case, table_name_problem
from exporter.schema import Column, Mode, Type, columns_of, refuse_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

D = TypeVar("D")

PARTITIONINGS = ("HOUR", "DAY", "MONTH", "YEAR")
_CLUSTERABLE = frozenset(Type) - {Type.FLOAT, Type.BYTES, Type.TIME, Type.JSON, Type.RECORD}
_MAX_CLUSTERING_FIELDS = 4


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
        if docstring.startswith(f"{row_class.__name__}("):  # dataclasses write the signature where none is given
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


def table_columns(extractor: BaseExtractor[Any]) -> tuple[Column, ...]:
    """The columns of an extractor's table, an aggregated one's date column first.

    Raises SchemaError where the dataclass, the date field, partitioning or clustering do not fit BigQuery.
    """
    path = path_of(extractor)
    if not isinstance(extractor.get_extractor_type(), ExtractorType):
        raise SchemaError(
            location=path,
            problem=f"get_extractor_type() returned {extractor.get_extractor_type()!r}.",
            remedy="Return ExtractorType.date_aggregated or ExtractorType.individual_rows.",
        )
    row_class = extractor.get_dataclass()
    if not isinstance(row_class, type):
        raise SchemaError(
            location=path, problem=f"get_dataclass() returned {row_class!r}.", remedy="Return the dataclass of a row."
        )
    columns = columns_of(row_class)
    if problem := table_name_problem(extractor.get_table_name()):
        raise SchemaError(location=path, problem=f"{problem}.", remedy="Override get_table_name().")
    columns = (
        _aggregated(path, extractor, columns) if is_aggregated(extractor) else _individual(path, extractor, columns)
    )
    _check_layout(path, extractor, columns)
    return columns


def refuse_clashes(extractors: Iterable[BaseExtractor[Any]]) -> None:
    """Raise SchemaError where two tables, or a table and another's delta view, have one name, by case too."""
    taken: dict[str, str] = {}
    for extractor in extractors:
        table = extractor.get_table_name()
        names = {table: f"the table of {path_of(extractor)}"}
        if any(column.differentiate for column in table_columns(extractor)):
            names[delta_view_name(table)] = f"the delta view of {path_of(extractor)}"
        for name, owner in names.items():
            if name.lower() in taken:
                raise SchemaError(
                    location=path_of(extractor),
                    problem=f"{name!r} is {owner} and also {taken[name.lower()]}.",
                    remedy="Override get_table_name() of one of them.",
                )
        taken |= {name.lower(): owner for name, owner in names.items()}


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
            problem=f"cannot import {path!r}: {error}.",
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
            remedy="Implement extract() and get_extractor_type(), and let __init__() take no arguments.",
        ) from error
    return extractor


def _aggregated(path: str, extractor: BaseExtractor[Any], columns: tuple[Column, ...]) -> tuple[Column, ...]:
    name = extractor.get_date_field()
    if problem := column_name_problem(name):
        raise SchemaError(location=path, problem=f"get_date_field(): {problem}.", remedy="Return a column name.")
    for column in columns:
        if column.name.lower() == name.lower():
            raise SchemaError(
                location=f"{path}, column {column.name}",
                problem=f"aggregated tables get a date column {name!r}, and the dataclass has one too.",
                remedy="Remove the field, or return another name from get_date_field().",
            )
    added = Column(
        name=name, type=Type.DATE, mode=Mode.REQUIRED, description="The day that the row describes.", python_type=None
    )
    return (added, *columns)


def _individual(path: str, extractor: BaseExtractor[Any], columns: tuple[Column, ...]) -> tuple[Column, ...]:
    name = extractor.get_date_field()
    date_column = next((column for column in columns if column.name == name), None)
    if date_column is None:
        raise SchemaError(
            location=path,
            problem=f"the dataclass has no date field {name!r}.",
            remedy=f"Add `{name}: datetime.datetime` (or datetime.date), or override get_date_field().",
        )
    if date_column.type not in (Type.TIMESTAMP, Type.DATE) or date_column.mode is not Mode.REQUIRED:
        raise SchemaError(
            location=f"{path}, column {name}",
            problem=f"the date field is {date_column.mode} {date_column.type}.",
            remedy="Annotate it with datetime.datetime or datetime.date, not optional and not a list.",
        )
    for column in columns:
        if column.differentiate:
            raise SchemaError(
                location=f"{path}, column {column.name}",
                problem="individual rows cannot be differentiated.",
                remedy="Leave differentiate out, or aggregate by date (ExtractorType.date_aggregated).",
            )
    return columns


def _check_layout(path: str, extractor: BaseExtractor[Any], columns: tuple[Column, ...]) -> None:
    refuse_duplicates(path, columns)
    by_name = {column.name: column for column in columns}
    partitioning = extractor.get_partitioning()
    date_column = by_name[extractor.get_date_field()]
    if partitioning not in (None, *PARTITIONINGS) or (partitioning == "HOUR" and date_column.type is Type.DATE):
        raise SchemaError(
            location=path,
            problem=f"get_partitioning() returned {partitioning!r} for a {date_column.type} column.",
            remedy="Return 'DAY', 'MONTH', 'YEAR', 'HOUR' (TIMESTAMP only) or None.",
        )
    expiration = extractor.get_partition_expiration()
    lasting = isinstance(expiration, timedelta) and expiration > timedelta(0)
    if expiration is not None and (partitioning is None or not lasting):
        raise SchemaError(
            location=path,
            problem=f"get_partition_expiration() returned {expiration!r} with partitioning {partitioning!r}.",
            remedy="Return a positive timedelta for a partitioned table, or None.",
        )
    clustering = extractor.get_clustering_fields()
    unfit = isinstance(clustering, str) or not all(_clusterable(by_name.get(name)) for name in clustering)
    if unfit or len(clustering) > _MAX_CLUSTERING_FIELDS or len(set(clustering)) < len(clustering):
        raise SchemaError(
            location=path,
            problem=f"get_clustering_fields() returned {clustering!r}.",
            remedy="Return a list of at most four columns of the table, none twice and "
            "none REPEATED, FLOAT, BYTES, TIME, JSON or RECORD.",
        )


def _clusterable(column: Column | None) -> bool:
    return column is not None and column.type in _CLUSTERABLE and column.mode is not Mode.REPEATED
