"""Tables that come, go, are retired, are forgotten and come back → changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.change import Change, Loss
from codegen.column_changes import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.introspect import Table, Warehouse


def vanished(table: Table, old: Warehouse, new: Warehouse, *, command: str) -> Change:
    """A table that no extractor fills any more, and nobody retired."""
    text = f"came from {table.source}, which is no extractor any more"
    back = f"Put {table.source!r} back into SMOLQWERY_EXTRACTORS."
    known = {other.name for other in old.tables}
    if heir := next((other for other in new.tables if other.source == table.source), None):
        text = f"came from {table.source}, which fills table {heir.name} now"
        back = f"Keep the name: let get_table_name() of {heir.source} return {table.name!r}."
    elif heir := next((one for one in new.tables if one.name not in known and _shape(one) == _shape(table)), None):
        text += f", and table {heir.name} is new, with the same columns: it looks like a new name"
        back = f"Keep the name: let get_table_name() of {heir.source} return {table.name!r}."
    retire = (
        f"Stop exporting it and keep its rows: `{command} --retire {table.name}`. Terraform forgets the table "
        "then, and leaves it as it is; who wants it gone deletes it by hand."
    )
    return Change(text=text, loss=Loss.destroyed, ways_out=(back, retire))


def retired(table: Table) -> Change:
    both = f" with view {table.delta_view.name}" if table.delta_view else ""
    return Change(text=f"is retired{both}: its rows stay in BigQuery, and Terraform forgets it")


def forgotten(table: Table) -> Change:
    return Change(
        text="was retired and is forgotten now. A deployment that has not applied its `removed` block yet would "
        f"destroy {table.name}, if its deletion_protection is off"
    )


def returned(known: Table, table: Table, dataset: str) -> Change:
    """`known` as it was retired, `table` as it is to be."""
    names = [table.name] + ([known.delta_view.name] if known.delta_view and table.delta_view else [])
    blocks = "\n".join(
        f"import {{\n  to = module.warehouse.google_bigquery_table.{name}\n"
        f'  id = "projects/${{var.project}}/datasets/{dataset}/tables/{name}"\n}}\n'
        for name in names
    )
    return Change(
        text="was retired and is back. Its rows are in BigQuery: put this into the root module, with the project's "
        "name for ${var.project} where it has no such variable, or Terraform would fail to make what is there",
        note=blocks,
    )


def clashes(table: Table, old: Warehouse, new: Warehouse, *, command: str) -> Iterator[Change]:
    """With what is in BigQuery under one of its names, and is something else."""
    if any(other.name == table.name for other in new.retired):
        yield Change(
            text=f"is retired, its rows are in BigQuery, and {table.source} would fill it again",
            loss=Loss.clashing,
            ways_out=(
                f"Take it back: `{command} --forget {table.name}` prints what Terraform has to import.",
                f"Let get_table_name() of {table.source} return another name.",
            ),
        )
        return
    retired_names = [(other, name, what) for other in new.retired for name, what in _names(other)]
    for own_name, own in _names(table):
        for other, name, what in retired_names:
            if own_name.lower() == name.lower():
                case = "" if own_name == name else ", but for the case"
                rename = f"Let get_table_name() of {table.source} return another name."
                # What this run retires cannot be forgotten in it.
                forget = f"When {other.name} is not in BigQuery any more: `{command} --forget {other.name}`."
                yield Change(
                    text=f"has {own and 'a delta view with '}the name of {what}{other.name}, which is retired{case}",
                    loss=Loss.clashing,
                    ways_out=(rename, forget) if any(one.name == other.name for one in old.retired) else (rename,),
                )
    for other in old.tables:
        if other.delta_view and other.delta_view.name == table.name:
            yield Change(
                text=f"is new, and has the name that the delta view of {other.name} had",
                loss=Loss.clashing,
                ways_out=(
                    f"Let get_table_name() of {table.source} return another name.",
                    "Run codegen without the new table first, and apply: Terraform removes the view.",
                ),
            )


def _names(table: Table) -> list[tuple[str, str]]:
    """With the words for what has each."""
    return [(table.name, "")] + ([(table.delta_view.name, "the delta view of ")] if table.delta_view else [])


def _shape(table: Table) -> list[tuple[str, str]]:
    return sorted((column.name, described(column)) for column in table.columns)
