"""Extractors → the columns of their tables, checked against what BigQuery and Terraform take."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from exporter.annotations import Mode, Type
from exporter.errors import SchemaError, where
from exporter.extractors import BaseExtractor, ExtractorType, is_aggregated, path_of
from exporter.names import column_name_problem, delta_view_name, table_name_problem
from exporter.schema import Column, columns_of, refuse_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTITIONINGS = ("HOUR", "DAY", "MONTH", "YEAR")
_CLUSTERABLE = frozenset(Type) - {Type.FLOAT, Type.BYTES, Type.TIME, Type.JSON, Type.RECORD}
_MAX_CLUSTERING_FIELDS = 4


def table_columns(extractor: BaseExtractor[Any]) -> tuple[Column, ...]:
    """The columns of an extractor's table, an aggregated one's date column first.

    Raises SchemaError where the dataclass, the date field, partitioning or clustering do not fit BigQuery, and where
    the extractor raises something else when it is asked for them.
    """
    try:
        return _checked_columns(extractor)
    except SchemaError:
        raise
    except Exception as error:
        raise SchemaError(
            location=path_of(extractor),
            problem=f"raised {type(error).__name__}: {error} ({where(error)}).",
            remedy="It is asked for its dataclass, names and layout, without a database: make that work.",
        ) from error


def _checked_columns(extractor: BaseExtractor[Any]) -> tuple[Column, ...]:
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
