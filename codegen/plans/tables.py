"""A change of a table, view or dataset → what it does to rows, columns and whoever reads them, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.plans.attributes import label_findings, rest_findings, text_findings
from codegen.plans.change import UNKNOWN, Action
from codegen.plans.finding import Finding, Stop, loud, plain, stop
from codegen.plans.grants import access_findings
from codegen.plans.guards import GUARDS, expiration_finding, guard_findings, is_guarded
from codegen.plans.layout import LAYOUT, layout_findings
from codegen.plans.lifecycle import because
from codegen.plans.markdown import code_block
from codegen.plans.schemas import column_words, schema_findings
from codegen.plans.sensitive import revealed
from codegen.plans.sql import short_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.plans.change import Change

_NAMED = ("description", "friendly_name")
_VIEWS = ("view", "materialized_view")
_VIEW_TYPES = ("VIEW", "MATERIALIZED_VIEW")
_KNOWN_OF_TABLES = ("schema", "labels", "type", "generated_schema_columns", *_NAMED, *GUARDS, *LAYOUT)
_EXPIRATIONS = {
    "default_table_expiration_ms": "tables that are made in it from then on",
    "default_partition_expiration_ms": "partitions of tables that are made in it from then on",
}
_KNOWN_OF_DATASETS = ("access", "labels", "location", "max_time_travel_hours", *_NAMED, *GUARDS, *_EXPIRATIONS)


def is_view(change: Change) -> bool:
    """What is there decides, since that is what could be lost; nothing is there yet: what will be."""
    return any(map(change.now, _VIEWS)) or change.now("type") in _VIEW_TYPES


def table_findings(change: Change) -> Iterator[Finding]:
    yield from _table_lost(change)
    if change.action in (Action.delete, Action.forget, Action.nothing):
        return
    yield from schema_findings(change)
    yield from layout_findings(change)
    yield from text_findings(change, *_NAMED)
    yield from label_findings(change)
    yield from guard_findings(change)
    yield from rest_findings(change, _KNOWN_OF_TABLES)


def view_findings(change: Change) -> Iterator[Finding]:
    """A view has no rows of its own, so nothing of this stops a plan."""
    if change.ends:
        again = " and made again" if change.action is Action.replace else ""
        text = f"would be deleted{again}{because(change)}. It has no rows of its own"
        yield plain(text) if again else loud(f"{text}; queries that read it fail")
    if change.action in (Action.delete, Action.forget, Action.nothing):
        return
    yield from (finding for block in _VIEWS for finding in _sql(change, block))
    yield from column_words(change)
    yield from (plain(finding.text) for finding in layout_findings(change))
    yield from text_findings(change, *_NAMED)
    yield from label_findings(change)
    yield from (plain(finding.text) for finding in guard_findings(change))
    yield from rest_findings(change, (*_KNOWN_OF_TABLES, *_VIEWS))


def dataset_findings(change: Change) -> Iterator[Finding]:
    if change.ends:
        again = " and made again, empty" if change.action is Action.replace else ""
        apply = _at_the_apply(change)
        yield stop(
            Stop.dataset_lost, f"would be deleted{again}, with all tables and rows in it{because(change)}{apply}"
        )
    if change.action in (Action.delete, Action.forget, Action.nothing):
        return
    for name, what in _EXPIRATIONS.items() if change.action is Action.update else ():
        yield from expiration_finding(change, what, name)
    yield from _time_travel(change)
    yield from text_findings(change, "location", *_NAMED)
    yield from label_findings(change)
    yield from access_findings(change)
    yield from guard_findings(change)
    yield from rest_findings(change, _KNOWN_OF_DATASETS)


def _table_lost(change: Change) -> Iterator[Finding]:
    rows = "and all its rows are lost"
    if change.old("external_data_configuration"):
        rows = "and who reads it finds nothing; its rows are outside of BigQuery"
    if revealed(change.old("deletion_policy")) == "ABANDON":
        rows = "but its deletion policy is ABANDON: the provider leaves it where it is, and forgets it"
    apply = _at_the_apply(change)
    if change.action is Action.replace:
        yield stop(Stop.table_lost, f"would be deleted and made again, {rows}{because(change)}{apply}")
    elif change.ends:
        yield stop(Stop.table_lost, f"would be deleted, {rows}{because(change)}{apply}")
    elif change.action is Action.other:
        yield stop(Stop.unclear, "whether it keeps its rows, this review cannot say")
    elif change.before and any(map(change.new, _VIEWS)):
        yield stop(Stop.table_lost, "would become a view, which has no rows of its own")


def _at_the_apply(change: Change) -> str:
    return ". Its deletion protection would make the apply fail" if is_guarded(change) else ""


def _sql(change: Change, block: str) -> Iterator[Finding]:
    path = (block, 0, "query")
    if change.action is Action.create or not change.differs(*path):
        return
    old, new = change.old(*path), change.new(*path)
    if change.is_sensitive(block) or not isinstance(old, str) or not isinstance(new, str):
        yield plain(f"its SQL changes: {change.show_old(*path)} → {change.show_new(*path)}")
    else:
        yield plain("its SQL changes:\n" + code_block("diff", short_diff(old, new)).rstrip("\n"))


def _time_travel(change: Change) -> Iterator[Finding]:
    name = "max_time_travel_hours"
    if not change.differs(name) or change.action is not Action.update:
        return
    text = f"hours that BigQuery can look back: {change.show_old(name)} → {change.show_new(name)}"
    old, new = str(change.old(name)), str(change.new(name))
    is_more = old.isdecimal() and new.isdecimal() and int(new) >= int(old)
    yield plain(text) if is_more or change.new(name) is UNKNOWN else loud(f"{text}. What is older cannot be recovered")
