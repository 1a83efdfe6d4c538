"""What keeps a table or dataset from being deleted, and what lets its rows expire → words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.plans.change import UNKNOWN, Action
from codegen.plans.finding import Stop, expiration, loud, plain, stop
from codegen.plans.markdown import code, counted
from codegen.plans.sensitive import revealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding
    from codegen.plans.trees import Step

GUARDS = ("deletion_protection", "deletion_policy", "delete_contents_on_destroy")
_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def guard_findings(change: Change) -> Iterator[Finding]:
    """Loudly: together with `prevent_destroy`, which a plan does not show, this is the last guard."""
    if change.action not in (Action.update, Action.replace):
        return
    if _is_true(change.old, "deletion_protection") and not _is_true(change.new, "deletion_protection"):
        yield _unguarded(change, "its deletion protection is turned off: from then on an apply may delete it")
    elif change.differs("deletion_protection"):
        yield plain("its deletion protection is turned on")
    policies = revealed(change.old("deletion_policy")), revealed(change.new("deletion_policy"))
    if policies[0] == "PREVENT" and policies[1] not in ("PREVENT", "ABANDON"):
        yield _unguarded(change, "its deletion policy is no longer PREVENT: from then on an apply may delete it")
    elif change.differs("deletion_policy"):
        yield plain(f"deletion policy: {change.show_old('deletion_policy')} → {change.show_new('deletion_policy')}")
    contents = "delete_contents_on_destroy"
    if change.differs(contents) and (_is_true(change.new, contents) or change.new(contents) is UNKNOWN):
        yield _unguarded(change, "from then on deleting it deletes all tables in it, too")
    elif change.differs(contents):
        yield plain("from then on it cannot be deleted as long as there are tables in it")


def is_guarded(change: Change) -> bool:
    """Whether the provider would refuse, at the apply, to delete what is there."""
    return _is_true(change.old, "deletion_protection") or revealed(change.old("deletion_policy")) == "PREVENT"


def expiration_finding(change: Change, what: str, *path: Step) -> Iterator[Finding]:
    """`what` BigQuery deletes at an age in milliseconds, 0 for none.

    An age that comes or falls deletes at once. It is said loudly and stops nothing: to delete is what an age is for.
    """
    if not change.differs(*path):
        return
    before, after = duration(change.old(*path)), duration(change.new(*path))
    old, new = revealed(change.old(*path)), revealed(change.new(*path))
    until_now = f"after {before}" if _is_age(old) else "never"
    if not _is_age(new):
        yield plain(f"{what} no longer expire (until now: {until_now})")
    elif _is_age(old) and _is_number(old) and _is_number(new) and new > old:
        yield plain(f"{what} live longer: they expire after {after} instead of {before}")
    else:
        yield expiration(f"{what} expire after {after} (until now: {until_now}); BigQuery deletes what is older")


def duration(milliseconds: object) -> str:
    """In the largest unit that says it exactly."""
    if milliseconds is UNKNOWN:
        return "an age that is known after the apply only"
    if not isinstance(milliseconds, (int, float)) or milliseconds % 1:
        return code(milliseconds)
    for size, unit in _UNITS:
        if milliseconds % size == 0:
            return counted(int(milliseconds) // size, unit)
    return counted(int(milliseconds), "millisecond")


def _unguarded(change: Change, text: str) -> Finding:
    # Of what is being imported this is the provider's default, and guarded nothing so far.
    return loud(text) if change.is_imported else stop(Stop.unguarded, text)


def _is_true(get: Callable[[str], Any], name: str) -> bool:
    return revealed(get(name)) is True


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _is_age(value: object) -> bool:
    return value not in (None, 0, "", "0")
