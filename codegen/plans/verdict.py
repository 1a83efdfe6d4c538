"""Entries → the line that a reviewer reads first, and whether the plan should stop there.

No text from the plan is in it, so nothing in a plan can say that all is well.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from codegen.plans.change import Action
from codegen.plans.entry import Subject
from codegen.plans.finding import Stop
from codegen.plans.markdown import capitalized, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from codegen.plans.entry import Entry
    from codegen.plans.plan import Plan

_LOST = {Stop.dataset_lost, Stop.table_lost}
# One, and several.
_PHRASES = {
    Stop.column_lost: ("column would be dropped with its values", "columns would be dropped with their values"),
    Stop.rows_expire: ("expiration would delete rows", "expirations would delete rows"),
    Stop.data_lost: (
        "other resource would be deleted with its data",
        "other resources would be deleted with their data",
    ),
    Stop.public: ("grant would be open to anyone", "grants would be open to anyone"),
    Stop.unguarded: (
        "protection against deletion would be taken away",
        "protections against deletion would be taken away",
    ),
    Stop.refused: ("change would be refused by BigQuery", "changes would be refused by BigQuery"),
    Stop.unclear: (
        "change cannot be judged, and may lose data",
        "changes cannot be judged, and may lose data",
    ),
}
_DELETED = {
    Stop.dataset_lost: (
        "dataset would be deleted with all its tables",
        "datasets would be deleted with all their tables",
    ),
    Stop.table_lost: ("table would be deleted with its rows", "tables would be deleted with their rows"),
}
_REPLACED = {
    Stop.dataset_lost: (
        "dataset would be replaced and lose all its tables",
        "datasets would be replaced and lose all their tables",
    ),
    Stop.table_lost: ("table would be replaced and lose its rows", "tables would be replaced and lose their rows"),
}
_VERBS = {
    Action.update: ("changes", "change"),
    Action.create: ("is new", "are new"),
    Action.replace: ("is made again", "are made again"),
    Action.delete: ("is deleted", "are deleted"),
    Action.forget: ("is forgotten", "are forgotten"),
    Action.read: ("is read", "are read"),
    Action.other: ("is treated in an unknown way", "are treated in an unknown way"),
}
_IMPORTED = ("is imported", "are imported")
_MOVED = ("has another address", "have another address")


def is_stopped(plan: Plan, entries: Iterable[Entry], allowed: Collection[str]) -> bool:
    return bool(_unfinished(plan)) or any(_reasons(entries, lambda address: address not in allowed))


def stopped_addresses(entries: Iterable[Entry]) -> set[str]:
    return {entry.change.address for entry in entries if any(finding.stop for finding in entry.findings)}


def verdict(plan: Plan, entries: Sequence[Entry], allowed: Collection[str], drifted: int = 0) -> str:
    """One line of Markdown. `drifted` resources were changed outside of Terraform."""
    stops = [*_unfinished(plan), *_phrases(_reasons(entries, lambda address: address not in allowed))]
    intended = list(_phrases(_reasons(entries, lambda address: address in allowed)))
    sentences = []
    if stops:
        sentences.append(f"**Stop: {'; '.join(stops)}.**")
    if intended:
        words = f"Allowed: {'; '.join(intended)}."
        sentences.append(words if stops else f"**{words}**")
    counts = [*_counts(entries), *_besides(plan)]
    if not sentences:
        sentences.append(_calm(entries) if counts else "**Nothing changes.**")
    if counts:
        sentences.append(f"{capitalized('; '.join(counts))}.")
    if plan.failed_checks:
        sentences.append(f"{counted(len(plan.failed_checks), 'condition is', 'conditions are')} not met.")
    if drifted:
        sentences.append(f"{counted(drifted, 'resource was', 'resources were')} changed outside of Terraform.")
    return " ".join(sentences)


def _calm(entries: Iterable[Entry]) -> str:
    if expirations := sum(finding.is_expiration for entry in entries for finding in entry.findings):
        return f"**Look twice: {counted(expirations, *_PHRASES[Stop.rows_expire])}.**"
    return "**No table loses data.**"


def _unfinished(plan: Plan) -> list[str]:
    if plan.is_errored:
        return ["Terraform could not finish this plan, so it does not say all that would happen"]
    return [] if plan.is_complete else ["this plan is only a part of what would happen"]


def _reasons(entries: Iterable[Entry], chosen: Callable[[str], bool]) -> Counter[tuple[Stop, Action]]:
    """How many there are of each kind."""
    return Counter(
        (finding.stop, Action.replace if entry.change.action is Action.replace else Action.delete)
        for entry in entries
        for finding in entry.findings
        if finding.stop and chosen(entry.change.address)
    )


def _phrases(reasons: Counter[tuple[Stop, Action]]) -> Iterator[str]:
    for stop in Stop:
        replaced, deleted = reasons[stop, Action.replace], reasons[stop, Action.delete]
        if stop in _LOST:
            for number, phrases in ((replaced, _REPLACED), (deleted, _DELETED)):
                if number:
                    yield counted(number, *phrases[stop])
        elif replaced + deleted:
            yield counted(replaced + deleted, *_PHRASES[stop])


def _besides(plan: Plan) -> Iterator[str]:
    if plan.invocations:
        yield f"{counted(len(plan.invocations), 'action is', 'actions are')} run"
    if plan.outputs:
        yield counted(len(plan.outputs), "output changes", "outputs change")


def _counts(entries: Sequence[Entry]) -> Iterator[str]:
    """Such as `2 tables change, 1 is new`, without what the stops count."""
    for subject in Subject:
        verbs = Counter(_verb(entry) for entry in entries if entry.subject is subject and not _is_lost(entry))
        is_more = any(entry.subject is subject and _is_lost(entry) for entry in entries)
        noun = f"{'more ' if is_more else ''}{subject.value}"
        parts: list[str] = []
        for verb in (*_VERBS.values(), _IMPORTED, _MOVED):
            if number := verbs[verb]:
                counted_noun = counted(number, noun, _plural(noun)) if not parts else f"{number:,}"
                parts.append(f"{counted_noun} {verb[number != 1]}")
        if parts:
            yield ", ".join(parts)


def _plural(noun: str) -> str:
    return noun.replace("resource", "resources") if "resource" in noun else f"{noun}s"


def _is_lost(entry: Entry) -> bool:
    return any(finding.stop in _LOST for finding in entry.findings)


def _verb(entry: Entry) -> tuple[str, str] | None:
    if entry.change.action is not Action.nothing:
        return _VERBS[entry.change.action]
    if entry.change.is_imported:
        return _IMPORTED
    return _MOVED if entry.findings else None
