"""The warehouse of the last run and the new one → what changes, each change safe or breaking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.change import Change, Loss, Subject
from codegen.column_changes import column_changes
from codegen.layout_changes import layout_changes, view_changes
from codegen.ledger import LEDGER_COLUMNS, LEDGER_LABEL
from codegen.lifecycle import clashes, forgotten, retired, returned, vanished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codegen.introspect import Table, Warehouse
    from codegen.record import Record

DATASET = "google_bigquery_dataset.warehouse"
"""What the dataset is called where a table is named: no table's name has a dot."""


def compared(record: Record, warehouse: Warehouse, *, command: str) -> list[Subject]:
    """What differs: the dataset, tables and their delta views by name, the exporter's own table.

    `command` is how codegen is run.
    """
    old = record.warehouse
    names = sorted({table.name for one in (old, warehouse) for table in (*one.tables, *one.retired)})
    subjects = [Subject(title=f"dataset {old.dataset}", name=DATASET, changes=tuple(_dataset(old, warehouse)))]
    for name in names:
        changes = tuple(_table(name, old, warehouse, command=command))
        table = _find(name, warehouse.tables)
        subject = Subject(title=f"table {name}", source=table.source if table else "", name=name, changes=changes)
        subjects += [subject, *_views(name, old, warehouse)]
    ledger = column_changes(record.ledger, LEDGER_COLUMNS, table=f"{warehouse.dataset}_exporter.ledger")
    subjects.append(Subject(title="the exporter's own table", name=LEDGER_LABEL, changes=tuple(ledger)))
    return [subject for subject in subjects if subject.changes]


def _dataset(old: Warehouse, new: Warehouse) -> Iterator[Change]:
    if old.dataset != new.dataset:
        yield _rebuilt("name", "SMOLQWERY_DATASET", old.dataset, new.dataset)
    if old.location.lower() != new.location.lower():
        yield _rebuilt("location", "SMOLQWERY_DATASET_LOCATION", old.location, new.location)
    elif old.location != new.location:
        yield Change(place="location", text=f"was {old.location}, is {new.location}: the same to BigQuery")


def _rebuilt(place: str, setting: str, old: str, new: str) -> Change:
    way_out = f"Set {setting} = {old!r} again."
    return Change(place=place, text=f"was {old}, is {new}", loss=Loss.rebuilt, ways_out=(way_out,))


def _table(name: str, old: Warehouse, new: Warehouse, *, command: str) -> Iterator[Change]:
    table, known = _find(name, new.tables), _find(name, old.tables)
    was_retired, is_retired = _find(name, old.retired), _find(name, new.retired)
    if table is None:
        if known:
            yield retired(known) if is_retired else vanished(known, old, new, command=command)
        elif was_retired and not is_retired:
            yield forgotten(was_retired)
        return
    yield from clashes(table, old, new, command=command)
    if is_retired:
        return
    if was_retired:
        yield returned(was_retired, table, new.dataset)
    known = known or was_retired
    if known is None:
        yield Change(text="is new")
        return
    if known.source != table.source:
        yield Change(text=f"gets its rows from {table.source}, and got them from {known.source}")
    yield from layout_changes(known, table)
    bound = dict.fromkeys(known.clustering, "clustered")
    if known.partitioning:
        bound[known.partitioning.field] = "partitioned"
    yield from column_changes(known.columns, table.columns, table=f"{new.dataset}.{name}", bound=bound)


def _views(name: str, old: Warehouse, new: Warehouse) -> Iterator[Subject]:
    """Of a table that stays; where a table goes, its view goes with it, the one way or the other."""
    table, known = _find(name, new.tables), _find(name, old.tables) or _find(name, old.retired)
    view = table and known and (table.delta_view or known.delta_view)
    if table and known and view and not _find(name, new.retired):
        yield Subject(title=f"view {view.name}", name=name, changes=tuple(view_changes(known, table)))


def _find(name: str, tables: Iterable[Table]) -> Table | None:
    return next((table for table in tables if table.name == name), None)
