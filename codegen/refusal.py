"""Changes → what a run says about them, and an error for each table that may not change like that."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from codegen.change import ALLOWABLE, Loss
from codegen.compatibility import DATASET
from codegen.errors import BreakingChangeError, OptionError
from codegen.ledger import LEDGER_LABEL
from codegen.retirement import unknown_table
from exporter.names import snake_case

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from codegen.change import Change, Subject
    from codegen.introspect import Warehouse

_LOST_WHEN_APPLIED = frozenset({Loss.dropped})


def refuse(subjects: Sequence[Subject], warehouse: Warehouse, *, allowed: Collection[str], command: str) -> None:
    """Raises an ExceptionGroup with an OptionError for each name in `allowed` that has nothing to be allowed, or with
    a BreakingChangeError for each table that has and is not in it.
    """
    breaking = {subject.name: subject for subject in subjects if subject.losses}
    names = {table.name for table in warehouse.tables} | breaking.keys() | {LEDGER_LABEL, DATASET}
    if problems := list(_idle(allowed, names, breaking)):
        raise ExceptionGroup("options", problems)
    if refused := [
        _refused(subject, names, warehouse, command)
        for subject in breaking.values()
        if subject.losses - (ALLOWABLE if subject.name in allowed else frozenset())
    ]:
        raise ExceptionGroup("breaking changes", refused)


def changes_report(subjects: Iterable[Subject], warehouse: Warehouse) -> str:
    """A line for each change, and what comes of those that were allowed."""
    lines = []
    for subject in subjects:
        lines += [
            f"{subject.title}{', ' if change.place else ' '}{_said(change)}\n{change.note}"
            for change in subject.changes
        ]
        if subject.losses:
            lines.append(f"{subject.title}: allowed. {_consequence(subject, warehouse)}\n")
    return "".join(lines)


def _said(change: Change) -> str:
    return " ".join(filter(None, (change.place, f"{change.text}.", change.loss)))


def _idle(allowed: Iterable[str], names: Collection[str], breaking: Collection[str]) -> Iterator[OptionError]:
    for name in dict.fromkeys(allowed):
        if name not in names:
            yield unknown_table("--allow-breaking", name, names)
        elif name not in breaking:
            # Kept in a script, it would let the next one pass unseen.
            yield OptionError(
                location=f"--allow-breaking {name}",
                problem="nothing about it is breaking.",
                remedy="Leave the option out.",
            )


def _refused(subject: Subject, names: Collection[str], warehouse: Warehouse, command: str) -> BreakingChangeError:
    # Nobody has the ledger's columns in a dataclass.
    own = () if subject.name == LEDGER_LABEL else subject.changes
    ways_out = dict.fromkeys(way_out for change in own for way_out in change.ways_out)
    lines = [
        *(f"{'' if change.place else 'It '}{_said(change)}" for change in subject.changes if change.loss),
        "Ways out:",
        *(f"- {way_out}" for way_out in (*ways_out, *_general_ways_out(subject, names, warehouse, command))),
    ]
    return BreakingChangeError(
        location=f"{subject.title} ({subject.source})" if subject.source else subject.title,
        problem="refused, and nothing was written.",
        remedy="\n  ".join(lines),
    )


def _general_ways_out(subject: Subject, names: Collection[str], warehouse: Warehouse, command: str) -> Iterator[str]:
    if not subject.losses <= ALLOWABLE:
        return
    if subject.name == DATASET:
        yield (
            "Make another dataset beside this one: render it with --output into a directory of its own, as a module of "
            "its own, and copy the rows. BigQuery neither renames nor moves a dataset."
        )
        condition = "If every deployment sets the variables dataset_id and location itself, or nothing was applied yet"
    elif subject.name == LEDGER_LABEL:
        yield "Install the version of smolqwery-terraform again that rendered this directory."
        condition = "If nothing was applied yet"
    else:
        class_name, table_name = _successor(subject.name, names)
        yield (
            f"Leave {subject.name} as it was, and let an extractor with a new dataclass fill a new table: "
            f"{class_name} makes {table_name}."
        )
        condition = f"If that may be lost, or {subject.name} was never applied"
    yield f"{condition}: `{command} --allow-breaking {subject.name}`. {_consequence(subject, warehouse)}"


def _consequence(subject: Subject, warehouse: Warehouse) -> str:
    if subject.losses <= _LOST_WHEN_APPLIED:
        return "The plan passes then, and the rows or values are lost when it is applied."
    if subject.name == DATASET:
        return "prevent_destroy still fails a plan that would destroy a dataset."
    if subject.name == LEDGER_LABEL:
        return "prevent_destroy still fails a plan that would destroy the table, without which rows could be repeated."
    still = "BigQuery still refuses it" if subject.losses <= {Loss.refused} else "prevent_destroy still fails the plan"
    table = f"{warehouse.dataset}.{subject.name}"
    return (
        f"{still}, until somebody deletes the table by hand (`bq cp {table} {table}_old` keeps its rows, "
        f"`bq rm --table {table}` deletes it); the next plan makes it anew, and the exporter fills it from "
        "SMOLQWERY_FIRST_DATE."
    )


def _successor(table: str, taken: Collection[str]) -> tuple[str, str]:
    """A dataclass and its table that are not there yet: `User2`, `user_2`."""
    stem, digits = re.fullmatch(r"(.*?)_?(\d*)", table).groups()  # type: ignore[union-attr] # matches every name
    class_name = "".join(word[:1].upper() + word[1:] for word in (stem or "table").split("_"))
    names = ((name, snake_case(name)) for name in (f"{class_name}{n}" for n in count(int(digits or 1) + 1)))
    return next((name, other) for name, other in names if other not in taken)
