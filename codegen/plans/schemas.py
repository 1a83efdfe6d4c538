"""What becomes of a table's columns → words, and which of it should stop a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.plans.change import UNKNOWN, Action
from codegen.plans.column_types import described_type
from codegen.plans.columns import Kind, SchemaError, column_changes, columns_of
from codegen.plans.finding import Finding, Stop, loud, plain, stop
from codegen.plans.markdown import code, counted
from codegen.plans.sensitive import revealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codegen.plans.change import Change
    from codegen.plans.columns import ColumnChange

_WORDS = {
    Kind.added: "new column {path}: {after}",
    Kind.added_required: "new column {path}: {after}",
    Kind.added_again: "new column {path}: {after}, and another column has that name, apart from capitals",
    Kind.dropped: "column {path} is dropped with all its values: {before}",
    Kind.retyped: "column {path} gets another type: {before} → {after}",
    Kind.respelled: "column {path}: {after} is another name for {before}; the provider takes it for another type",
    Kind.relaxed: "column {path} may be empty from now on: {before} → {after}",
    Kind.tightened: "column {path}: {before} → {after}",
    Kind.widened: "column {path} takes more: {before} → {after}",
    Kind.narrowed: "column {path} takes less: {before} → {after}",
    Kind.described: "column {path}, description: {before} → {after}",
    Kind.tagged: "column {path} gets policy tags: {before} → {after}",
    Kind.untagged: "column {path} loses a policy tag: {before} → {after}. Who was kept from reading it may read it",
    Kind.changed: "column {path}, {attribute}: {before} → {after}",
}
_REFUSED = {Kind.added_required, Kind.added_again, Kind.retyped, Kind.tightened, Kind.narrowed}


def schema_findings(change: Change) -> Iterator[Finding]:
    """For a table that is new, updated or replaced."""
    if change.action is Action.create:
        yield from _new_columns(change)
        return
    if not change.differs("schema"):
        return
    if change.new("schema") is UNKNOWN:
        text = "the columns are known after the apply only: which of them it drops, nobody can say"
        yield stop(Stop.unclear, text) if change.action is not Action.replace else plain(text)
        return
    try:
        changes = list(
            column_changes(columns_of(revealed(change.old("schema"))), columns_of(revealed(change.new("schema"))))
        )
    except SchemaError as error:
        yield stop(Stop.unclear, f"the schema cannot be read, so nobody can say which columns it drops: {error}")
        return
    yield from (_finding(change, one) for one in changes)
    yield from _rename(changes, is_sensitive=change.is_sensitive("schema"))
    if not changes:
        yield plain("the schema is written differently, and means the same")


def column_words(change: Change) -> Iterator[Finding]:
    """For a view: its columns hold nothing that could be lost."""
    if change.action is not Action.create and change.new("schema") is UNKNOWN:
        yield plain("its columns are known after the apply only")
        return
    yield from (plain(finding.text) for finding in schema_findings(change))


def _finding(change: Change, column: ColumnChange) -> Finding:
    if change.is_sensitive("schema"):
        text = f"a column, kept secret: {column.kind.name.replace('_', ' ')} (sensitive)"
    else:
        parts = {
            "path": code(column.path),
            "attribute": code(column.attribute),
            "before": _value(column.before),
            "after": _value(column.after),
        }
        text = _WORDS[column.kind].format(**parts)
        text += f", {code(column.description)}" if column.description else ""
    if change.action is not Action.replace:
        if column.kind is Kind.dropped:
            return stop(
                Stop.column_lost, text, "" if change.is_sensitive("schema") else f"drops {code(column.path, 60)}"
            )
        if column.kind in _REFUSED:
            return stop(Stop.refused, f"{text}. BigQuery refuses that, and the apply fails")
    return loud(text) if column.kind is Kind.untagged else plain(text)


def _value(text: str) -> str:
    return code(text) if text else "nothing"


def _rename(changes: Iterable[ColumnChange], *, is_sensitive: bool) -> Iterator[Finding]:
    dropped = [one for one in changes if one.kind is Kind.dropped]
    added = [one for one in changes if one.kind in (Kind.added, Kind.added_required)]
    if len(dropped) == len(added) == 1 and dropped[0].before == added[0].after and not is_sensitive:
        names = code(dropped[0].path), code(added[0].path)
        yield plain(
            f"this looks as if {names[0]} were renamed to {names[1]}: Terraform cannot, no value is carried over"
        )


def _new_columns(change: Change) -> Iterator[Finding]:
    schema = change.new("schema")
    if schema is UNKNOWN or change.is_sensitive("schema"):
        yield plain(f"columns: {change.show_new('schema')}")
        return
    try:
        columns = columns_of(schema)
    except SchemaError as error:
        yield plain(f"the schema cannot be read: {error}")
        return
    yield plain(counted(len(columns), "column"))
    for column in columns:
        description = column.get("description")
        told = f", {code(description)}" if description else ""
        yield plain(f"{code(column['name'])}: {code(described_type(column))}{told}")
