"""Why a resource ends, moves, or comes under Terraform's care → words, the same for all resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.plans.change import Action
from codegen.plans.finding import plain
from codegen.plans.markdown import code, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding

_REASONS = {
    "delete_because_no_resource_config": "its block is no longer in the configuration",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_no_move_target": "it was moved to an address that is not in the configuration",
    "delete_because_wrong_repetition": "its block now uses `count` or `for_each` differently",
    "delete_because_count_index": "its `count` is lower now",
    "delete_because_each_key": "its key is no longer in `for_each`",
    "replace_because_tainted": "an earlier apply left it unfinished (tainted)",
    "replace_by_request": "the plan was made with `-replace`",
    "replace_by_triggers": "something in its `replace_triggered_by` changes",
}


def because(change: Change) -> str:
    """A clause with its comma in front, or nothing where Terraform gives no reason."""
    if change.is_deposed:
        return ", as a remainder of an apply that failed (deposed)"
    if reason := _REASONS.get(change.reason):
        return f", because {reason}"
    if change.replace_paths:
        paths = dict.fromkeys(".".join(map(str, path)) for path in change.replace_paths)
        return f", because of another {listed(map(code, paths))}"
    return ""


def lifecycle_findings(change: Change) -> Iterator[Finding]:
    """What concerns only Terraform's own record of the resource."""
    if change.previous_address and change.previous_address != change.address:
        yield plain(f"its address in Terraform was {code(change.previous_address)}; that is a change of records only")
    if change.is_imported:
        yield plain("it exists already, and comes under Terraform's care (import)")
    if change.action is Action.forget:
        yield plain("Terraform forgets it: it stays in the cloud as it is, and nobody looks after it")
    if change.action is Action.other:
        yield plain(f"Terraform says {listed(map(code, change.actions))}, which this review does not know")
