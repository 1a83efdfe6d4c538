"""Warehouse → the data dictionary: what a page says of each table, and where the table opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codegen.introspect import Table, Warehouse
    from exporter.schema import Column

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a table or a view opens in a browser."""

    bigquery: str
    looker_studio: str
    """A new report on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEntry:
    """A column, at any depth: `path` is dotted within a RECORD."""

    path: str
    type: str
    mode: str
    description: str
    policy_tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A table, and its delta view."""

    table: Table
    summary: str
    """The first line of the table's description."""
    expiration: str
    """The age at which BigQuery drops a partition, in words. Empty: never."""
    columns: tuple[ColumnEntry, ...]
    differentiated: tuple[str, ...]
    """Columns of which the delta view shows what each day added."""
    links: Links | None
    view_links: Links | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    dataset: str
    location: str
    project: str | None
    """None: not known, and no entry has links."""
    entries: tuple[Entry, ...]


def dictionary_of(warehouse: Warehouse, project: str | None) -> Dictionary:
    return Dictionary(
        dataset=warehouse.dataset,
        location=warehouse.location,
        project=project,
        entries=tuple(_entry(table, warehouse.dataset, project) for table in warehouse.tables),
    )


def _entry(table: Table, dataset: str, project: str | None) -> Entry:
    return Entry(
        table=table,
        summary=table.description.strip().partition("\n")[0],
        expiration=_age(table.partitioning.expiration_ms) if table.partitioning else "",
        columns=tuple(_columns(table.columns)),
        differentiated=tuple(column.name for column in table.columns if column.differentiate),
        links=_links(project, dataset, table.name),
        view_links=_links(project, dataset, table.delta_view.name) if table.delta_view else None,
    )


def _age(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    age = timedelta(milliseconds=milliseconds)
    return str(age) if age % _DAY else f"{age.days:,} day{'s' * (age.days != 1)}"


def _columns(columns: Iterable[Column], prefix: str = "") -> Iterator[ColumnEntry]:
    for column in columns:
        path = f"{prefix}{column.name}"
        digits = "" if column.precision is None else f"({column.precision}, {column.scale or 0})"
        yield ColumnEntry(
            path=path,
            type=f"{column.type}{digits}",
            mode=str(column.mode),
            description=column.description,
            policy_tags=column.policy_tags,
        )
        yield from _columns(column.fields, f"{path}.")


def _links(project: str | None, dataset: str, table: str) -> Links | None:
    if project is None:
        return None
    in_bigquery = {"p": project, "d": dataset, "t": table, "page": "table"}
    # https://developers.google.com/looker-studio/integrate/linking-api
    in_looker_studio = {
        "c.mode": "edit",
        "ds.connector": "bigQuery",
        "ds.type": "TABLE",
        "ds.projectId": project,
        "ds.datasetId": dataset,
        "ds.tableId": table,
    }
    return Links(
        bigquery=_url("https://console.cloud.google.com/bigquery", in_bigquery),
        looker_studio=_url("https://lookerstudio.google.com/reporting/create", in_looker_studio),
    )


def _url(page: str, parameters: dict[str, str]) -> str:
    return f"{page}?{urlencode(parameters, quote_via=quote, safe='')}"
