"""Attributes that mean the same everywhere → words: descriptions, labels, and those that have none of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.plans.change import UNKNOWN, Action
from codegen.plans.finding import plain
from codegen.plans.markdown import code, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding
    from codegen.plans.trees import Step

_MOST = 12
# What the cloud counts and computes: no plan can change it on purpose.
_COMPUTED = {
    "creation_time",
    "effective_annotations",
    "effective_labels",
    "etag",
    "generation",
    "id",
    "last_modified_time",
    "latest_created_execution",
    "num_bytes",
    "num_long_term_bytes",
    "num_rows",
    "observed_generation",
    "reconciling",
    "self_link",
    "state",
    "terminal_condition",
    "terraform_labels",
    "uid",
    "update_time",
}


def text_findings(change: Change, *names: str) -> Iterator[Finding]:
    """Such as descriptions: what they were and what they become."""
    for name in names:
        if change.differs(name):
            old = "" if change.action is Action.create else f"{change.show_old(name)} → "
            yield plain(f"{name.replace('_', ' ')}: {old}{change.show_new(name)}")


def label_findings(change: Change) -> Iterator[Finding]:
    """One for all labels."""
    if not change.differs("labels"):
        return
    old, new = change.old("labels"), change.new("labels")
    if change.is_sensitive("labels") or new is UNKNOWN or not _are_texts(old) or not _are_texts(new):
        yield plain(f"labels: {change.show_old('labels')} → {change.show_new('labels')}")
        return
    old, new = old or {}, new or {}
    parts = [f"{code(f'{name}={new[name]}')} set" for name in sorted(new) if old.get(name) != new[name]]
    parts += [f"{code(name)} removed" for name in sorted(old) if name not in new]
    yield plain(f"labels: {listed(parts)}")


def rest_findings(change: Change, known: Iterable[str | tuple[Step, ...]]) -> Iterator[Finding]:
    """Names alone of what nobody has put into words: their values may be anything, also secrets.

    `known` are attributes, or paths to parts of them.
    """
    if change.action not in (Action.update, Action.replace):
        return
    prefixes = [(one,) if isinstance(one, str) else one for one in known]
    changed = [path for path in change.changed_paths() if path[0] not in _COMPUTED]
    if change.action is Action.replace:
        # What the cloud computes is unknown again, for all that is made again.
        changed = [path for path in changed if change.new(*path) is not UNKNOWN]
    named = dict.fromkeys(
        change.public_part(path)
        for path in changed
        # Words about a secret may say nothing, so it is named here too.
        if change.is_sensitive(*path) or not any(path[: len(prefix)] == prefix for prefix in prefixes)
    )
    if rest := list(named):
        shown = [code(".".join(map(str, path))) for path in rest[:_MOST]]
        more = [f"{len(rest) - _MOST:,} more"] if len(rest) > _MOST else []
        yield plain(f"{'other ' if prefixes else ''}settings: {listed([*shown, *more])}")


def _are_texts(labels: object) -> bool:
    return labels is None or (isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values()))
