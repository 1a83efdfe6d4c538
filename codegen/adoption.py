"""Warehouse → the `import` blocks with which Terraform takes over what smolqwery made of it.

Blocks for a root module, the only place where Terraform takes them. The exporter's own dataset and its ledger have
none: smolqwery knew neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.annotations import Mode, Type
from exporter.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.introspect import Table, Warehouse
    from exporter.schema import Column

# As a plan writes it: `module.warehouse`, `module.data.module.warehouse`, or nothing where the warehouse is the root.
_MODULE = re.compile(r"(module\.[A-Za-z_][\w-]*(\.module\.[A-Za-z_][\w-]*)*)?", re.ASCII)
_SMOLQWERY_TYPES = frozenset({Type.BYTES, Type.DATE, Type.FLOAT, Type.INTEGER, Type.STRING})
_NAMED = 3
_REFUSED = "Terraform would have to make it anew, and refuses to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One thing that is there: `address` says what it is in Terraform, `id` where the provider finds it."""

    address: str
    key: str | None = None
    """Of an instance, where the address has a for_each."""
    id: str
    notes: tuple[str, ...] = ()
    """Why Terraform would refuse to take it over as it is described."""


def imports_of(warehouse: Warehouse, project: str | None, module: str) -> tuple[Import, ...]:
    """Raises SettingsError where the project is not known, or `module` is no module's address."""
    if not _MODULE.fullmatch(module):
        raise SettingsError(
            location="--module",
            problem=f"{module!r} is not the address of a module.",
            remedy="Write it as a plan does, such as module.warehouse.",
        )
    if project is None:
        raise SettingsError(
            location="SMOLQWERY_PROJECT",
            problem="is not set, and every id of an import names the project.",
            remedy="Set it to the project that smolqwery exported to.",
        )
    dataset = f"projects/{project}/datasets/{warehouse.dataset}"
    prefix = f"{module}." if module else ""
    return tuple(_imports(warehouse, dataset, prefix))


def _imports(warehouse: Warehouse, dataset: str, prefix: str) -> Iterator[Import]:
    yield Import(address=f"{prefix}google_bigquery_dataset.warehouse", id=dataset)
    # smolqwery's WRITER is this role. It knew no groups that only read.
    grants = f"{prefix}google_bigquery_dataset_iam_member.acl_groups"
    for email in warehouse.acl_groups:
        yield Import(address=grants, key=email, id=f"{dataset} roles/bigquery.dataEditor group:{email}")
    for table in warehouse.tables:
        names = [table.name, *([table.delta_view.name] if table.delta_view else [])]
        notes = tuple(_notes(table))
        for name in names:
            address = f"{prefix}google_bigquery_table.{name}"
            yield Import(address=address, id=f"{dataset}/tables/{name}", notes=notes if name == table.name else ())


def _notes(table: Table) -> Iterator[str]:
    if foreign := [column for column in table.columns if _is_foreign(column)]:
        named = ", ".join(f"{column.name} {column.type}" for column in foreign[:_NAMED])
        yield (
            f"smolqwery made no columns such as {named}: of bool it made INTEGER, of datetime DATE. Where the table "
            f"has other types, {_REFUSED}: give the dataclass of {table.source} another name, which makes a new table, "
            "and remove this block."
        )
    if table.partitioning:
        yield (
            "smolqwery partitioned no table, and BigQuery partitions none later. Where this one is not partitioned, "
            f"{_REFUSED}: let get_partitioning() of {table.source} return None."
        )


def _is_foreign(column: Column) -> bool:
    return column.type not in _SMOLQWERY_TYPES or column.mode is Mode.REPEATED
