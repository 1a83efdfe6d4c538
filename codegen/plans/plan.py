"""The JSON object of a plan → `Plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codegen.plans.change import Change
from codegen.plans.document import document_of
from codegen.plans.place import Place
from codegen.plans.sensitive import with_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """A change that Terraform puts off to a later plan."""

    reason: str
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCheck:
    """A condition in the configuration that is not met, or could not be evaluated."""

    address: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`is_complete`: nothing was put off, targeted away, or left out because of an error."""

    changes: tuple[Change, ...]
    deferred: tuple[Deferred, ...]
    drift: tuple[Change, ...]
    """What was changed outside of Terraform."""
    outputs: tuple[str, ...]
    """Names of those that change."""
    invocations: tuple[str, ...]
    """Addresses of actions that would be run."""
    failed_checks: tuple[FailedCheck, ...]
    is_errored: bool
    is_complete: bool


def read_plan(content: bytes, location: str) -> Plan:
    """Raises PlanError."""
    document = document_of(content, location)
    where = Place(location)
    deferred = where.objects(document, "deferred_changes")
    outputs = where.object(document, "output_changes")
    return Plan(
        changes=tuple(map(_change, where.objects(document, "resource_changes"))),
        deferred=tuple(
            Deferred(reason=_text(one.get("reason")), change=_change((place, place.object(one, "resource_change"))))
            for place, one in deferred
        ),
        drift=tuple(map(_change, where.objects(document, "resource_drift"))),
        outputs=tuple(name for name, change in sorted(outputs.items()) if _is_change(change)),
        invocations=tuple(
            _text(one.get("address"))
            for name in ("action_invocations", "deferred_action_invocations")
            for _, one in where.objects(document, name)
        ),
        failed_checks=tuple(_failed_checks(where, document)),
        is_errored=document.get("errored") is True,
        # Terraform says it since 1.8.
        is_complete=document.get("complete", True) is True,
    )


def _change(placed: tuple[Place, dict[str, Any]]) -> Change:
    place, resource = placed
    change = place.object(resource, "change")
    inside = Place(place.location, f"{place.path}change.")
    return Change(
        address=place.text(resource, "address"),
        type=place.text(resource, "type"),
        actions=inside.texts(change, "actions"),
        before=with_secrets(inside.object(change, "before"), change.get("before_sensitive")),
        after=with_secrets(inside.object(change, "after"), change.get("after_sensitive")),
        before_sensitive=change.get("before_sensitive"),
        after_sensitive=change.get("after_sensitive"),
        after_unknown=change.get("after_unknown"),
        replace_paths=_replace_paths(change.get("replace_paths")),
        previous_address=_text(resource.get("previous_address")),
        is_imported=bool(change.get("importing")),
        is_deposed=bool(resource.get("deposed")),
        is_data=resource.get("mode") == "data",
        reason=_text(resource.get("action_reason")),
    )


def _replace_paths(paths: object) -> tuple[tuple[str | int, ...], ...]:
    elements = paths if isinstance(paths, list) else []
    return tuple(
        tuple(step for step in path if isinstance(step, (str, int))) for path in elements if isinstance(path, list)
    )


def _is_change(change: object) -> bool:
    return isinstance(change, dict) and change.get("actions") != ["no-op"]


def _failed_checks(where: Place, document: dict[str, Any]) -> list[FailedCheck]:
    failed = []
    for place, check in where.objects(document, "checks"):
        if check.get("status") in ("fail", "error"):
            problems = [
                problem
                for instance_place, instance in place.objects(check, "instances")
                for _, problem in instance_place.objects(instance, "problems")
            ]
            failed.append(
                FailedCheck(
                    address=_text(place.object(check, "address").get("to_display")),
                    messages=tuple(_text(one.get("message")) for one in problems),
                )
            )
    return failed


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
