"""Bytes of `terraform show -json plan.bin` → `Plan`, or the reason why they are none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from codegen.plans.change import Change
from codegen.plans.errors import PlanError
from codegen.plans.sensitive import with_secrets

_SHOW = "Make it with `terraform plan -out=plan.bin` and `terraform show -json plan.bin`."
_OF_A_PLAN = ("planned_values", "resource_changes", "output_changes", "configuration")
_OTHERS = {
    "values": "the JSON of a Terraform state, not of a plan",
    "provider_schemas": "the JSON of providers' schemas, not of a plan",
    "diagnostics": "the JSON of `terraform validate`, not of a plan",
    "@level": "the log of `terraform plan -json`, not a plan",
    "resources": "a state file, not a plan",
}


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
    document = _document(content, location)
    where = _Place(location)
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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the plan something is, for a message when it is not what it should be."""

    location: str
    path: str = ""

    def objects(self, tree: dict[str, Any], name: str) -> list[tuple[_Place, dict[str, Any]]]:
        elements = tree.get(name) or []
        if not isinstance(elements, list):
            self._refuse(name, "a list")
        places = [_Place(self.location, f"{self.path}{name}[{number}].") for number in range(len(elements))]
        for number, element in enumerate(elements):
            if not isinstance(element, dict):
                self._refuse(f"{name}[{number}]", "an object")
        return list(zip(places, elements, strict=True))

    def object(self, tree: dict[str, Any], name: str) -> dict[str, Any]:
        value = tree.get(name) or {}
        if not isinstance(value, dict):
            self._refuse(name, "an object")
        return value

    def text(self, tree: dict[str, Any], name: str) -> str:
        value = tree.get(name)
        if not isinstance(value, str) or not value:
            self._refuse(name, "a text")
        return value

    def texts(self, tree: dict[str, Any], name: str) -> tuple[str, ...]:
        value = tree.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            self._refuse(name, "a list of texts")
        return tuple(value)

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        raise PlanError(
            location=self.location,
            problem=f"{self.path}{name} is not {wanted}, as it is in every plan of Terraform.",
            remedy=_SHOW,
        )


def _document(content: bytes, location: str) -> dict[str, Any]:
    try:
        # Also UTF-16, which a redirection in PowerShell writes, and a byte order mark.
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _no_json(content, location, error) from error
    if not isinstance(document, dict):
        raise PlanError(location=location, problem=f"is JSON, but a {_kind(document)} and no plan.", remedy=_SHOW)
    other = next((what for name, what in _OTHERS.items() if name in document), "JSON, but no plan of Terraform")
    if "format_version" not in document or not any(name in document for name in _OF_A_PLAN):
        raise PlanError(location=location, problem=f"is {other}.", remedy=_SHOW)
    version = document["format_version"]
    # A newer minor version only adds; see "JSON Output Format" in Terraform's documentation.
    if not isinstance(version, str) or not re.fullmatch(r"1\.[0-9]+", version):
        raise PlanError(
            location=location,
            problem=f"has format_version {json.dumps(version)[:80]}, and this review reads 1.x.",
            remedy="Plan with Terraform 1.1 or later; for a later format, install a newer smolqwery-terraform.",
        )
    return document


def _no_json(content: bytes, location: str, error: Exception) -> PlanError:
    problem = f"is not JSON: {error}."
    if not content.strip():
        problem = "is empty."
    elif content.startswith(b"PK"):
        problem = "is a plan file itself, which only Terraform reads."
    elif b'"@level"' in content[:4096]:
        problem = f"is {_OTHERS['@level']}."
    elif isinstance(error, RecursionError):
        problem = "is nested too deeply for a plan."
    elif isinstance(error, UnicodeDecodeError):
        problem = "is not JSON: it is not text in UTF-8."
    return PlanError(location=location, problem=problem, remedy=_SHOW)


def _change(placed: tuple[_Place, dict[str, Any]]) -> Change:
    place, resource = placed
    change = place.object(resource, "change")
    inside = _Place(place.location, f"{place.path}change.")
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


def _failed_checks(where: _Place, document: dict[str, Any]) -> list[FailedCheck]:
    failed = []
    for place, check in where.objects(document, "checks"):
        if check.get("status") in ("fail", "error"):
            instances = [instance for _, instance in place.objects(check, "instances")]
            problems = [
                one for instance in instances for one in instance.get("problems") or [] if isinstance(one, dict)
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


def _kind(document: object) -> str:
    if isinstance(document, list):
        return "list"
    return "text" if isinstance(document, str) else "single value"
