"""What was changed outside of Terraform → what of it a reviewer should know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codegen.plans.access import Grant, grants_after, grants_before
from codegen.plans.change import Action
from codegen.plans.entry import Entry, entry_of, findings_of
from codegen.plans.finding import Finding, Stop, loud, plain
from codegen.plans.members import canonical_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codegen.plans.change import Change
    from codegen.plans.plan import Plan

_DATASET = "google_bigquery_dataset"


def drift_entries(plan: Plan) -> Iterator[Entry]:
    """Nothing of it is done by this plan, so it does not stop it."""
    granted = set(_granted_on_datasets(plan.changes))
    for change in plan.drift:
        if change.ends:
            yield replace(entry_of(change), findings=(plain("with all that was in it"),))
        elif change.action is not Action.nothing:
            seen = _without(change, granted) if change.type == _DATASET else change
            if findings := findings_of(seen):
                yield replace(entry_of(seen), findings=tuple(map(_as_drift, findings)))


def _as_drift(finding: Finding) -> Finding:
    if finding.stop is Stop.public:
        return loud(f"{finding.text}, since somebody changed that outside of Terraform")
    return plain(finding.text)


def _granted_on_datasets(changes: Iterable[Change]) -> Iterator[tuple[str, str, str]]:
    """Dataset, member and role of what Terraform itself granted: it appears in the dataset's own list of access."""
    for change in changes:
        if change.type.startswith(f"{_DATASET}_"):
            for grant in grants_before(change):
                yield _key(change.old("dataset_id"), grant)


def _key(dataset: Any, grant: Grant) -> tuple[str, str, str]:
    return str(dataset), grant.member.lower(), canonical_role(grant.role)


def _without(change: Change, granted: set[tuple[str, str, str]]) -> Change:
    """The dataset's change as if nobody had told it of Terraform's own grants."""
    dataset = change.old("dataset_id")
    new = grants_after(change) - grants_before(change)
    if all(_key(dataset, grant) in granted for grant in new) and not grants_before(change) - grants_after(change):
        return replace(change, after={**change.after, "access": change.before.get("access")})
    return change
