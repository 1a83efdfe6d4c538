"""Extractors and settings → `Warehouse`: all that Terraform will make. Pure data, no text of Terraform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from codegen.descriptions import check_descriptions
from exporter.errors import SchemaError, where
from exporter.extractors import path_of
from exporter.names import delta_view_name
from exporter.tables import refuse_clashes, table_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exporter.conf import Settings
    from exporter.extractors import BaseExtractor
    from exporter.schema import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitioning:
    """By time: `type` is HOUR, DAY, MONTH or YEAR of the column `field`."""

    type: str
    field: str
    expiration_ms: int | None
    """The age at which BigQuery drops a partition; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaView:
    """A table's running totals, differentiated from day to day."""

    name: str
    date_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, and its delta view when a column is differentiated."""

    name: str
    source: str
    """The dotted path of its extractor."""
    description: str
    columns: tuple[Column, ...]
    partitioning: Partitioning | None
    clustering: tuple[str, ...]
    delta_view: DeltaView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """The dataset and all in it, tables by name."""

    dataset: str
    location: str
    acl_groups: tuple[str, ...]
    reader_groups: tuple[str, ...]
    tables: tuple[Table, ...]
    retired: tuple[Table, ...] = ()
    """Tables whose extractors are gone and whose rows stay."""


def warehouse_of(settings: Settings, extractors: Sequence[BaseExtractor[Any]]) -> Warehouse:
    """Raises an ExceptionGroup with a SchemaError for each extractor that has no table, or two that share a name."""
    tables, problems = [], []
    for extractor in extractors:
        try:
            tables.append(_table(extractor))
        except SchemaError as problem:
            problems.append(problem)
    if not problems:
        try:
            refuse_clashes(extractors)
        except SchemaError as clash:
            problems.append(clash)
    if problems:
        raise ExceptionGroup("extractors without a table", problems)
    return Warehouse(
        dataset=settings.dataset,
        location=settings.dataset_location,
        acl_groups=_groups(settings.acl_groups),
        reader_groups=_groups(settings.reader_groups),
        # By name: the order of SMOLQWERY_EXTRACTORS means nothing to BigQuery, so it changes no file.
        tables=tuple(sorted(tables, key=lambda table: table.name)),
    )


def _groups(emails: Iterable[str]) -> tuple[str, ...]:
    """BigQuery answers with e-mails in lower case: in any other, Terraform would see a change at each plan."""
    return tuple(dict.fromkeys(email.lower() for email in emails))


def _table(extractor: BaseExtractor[Any]) -> Table:
    path = path_of(extractor)
    try:
        columns = table_columns(extractor)
        check_descriptions(path, extractor.get_description(), columns)
        return Table(
            name=extractor.get_table_name(),
            source=path,
            description=extractor.get_description(),
            columns=columns,
            partitioning=_partitioning(extractor),
            clustering=tuple(extractor.get_clustering_fields()),
            delta_view=_delta_view(extractor, columns),
        )
    except SchemaError:
        raise
    except Exception as error:
        raise SchemaError(
            location=path,
            problem=f"raised {type(error).__name__}: {error} ({where(error)}).",
            remedy="Codegen asks an extractor for its dataclass, names and layout, without a database: make that work.",
        ) from error


def _partitioning(extractor: BaseExtractor[Any]) -> Partitioning | None:
    partitioning = extractor.get_partitioning()
    if partitioning is None:
        return None
    expiration = extractor.get_partition_expiration()
    return Partitioning(
        type=partitioning,
        field=extractor.get_date_field(),
        expiration_ms=None if expiration is None else -(-expiration // timedelta(milliseconds=1)),
    )


def _delta_view(extractor: BaseExtractor[Any], columns: Iterable[Column]) -> DeltaView | None:
    if not any(column.differentiate for column in columns):
        return None
    return DeltaView(name=delta_view_name(extractor.get_table_name()), date_column=extractor.get_date_field())
