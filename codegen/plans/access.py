"""Any resource of Google that grants access, before or after → the set of its grants."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codegen.plans.change import UNKNOWN
from codegen.plans.members import canonical_role
from codegen.plans.sensitive import revealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codegen.plans.change import Change

_IDENTITIES = {
    "user_by_email": "user:",
    "group_by_email": "group:",
    "domain": "domain:",
    "special_group": "",
    "iam_member": "",
}
_OBJECTS = ("view", "routine", "dataset")
UNKNOWN_MEMBER = ""
# Attributes that say who may do what.
GRANTING = ("access", "condition", "member", "members", "policy_data", "role", *_IDENTITIES, *_OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Who has which role, and on which condition. `object` is a view, routine or dataset that reads for others."""

    member: str
    role: str = ""
    condition: str = ""
    object: str = ""


def is_grant(resource_type: str) -> bool:
    return resource_type == "google_bigquery_dataset_access" or (
        resource_type.startswith("google_") and resource_type.endswith(("_iam_member", "_iam_binding", "_iam_policy"))
    )


def grants_before(change: Change) -> set[Grant]:
    return _grants(change, lambda name: revealed(change.old(name)))


def grants_after(change: Change) -> set[Grant]:
    """A member that is known after the apply only is UNKNOWN_MEMBER, beside those that are known."""
    return _grants(change, lambda name: revealed(change.new(name))) | _grants(
        change, lambda name: revealed(change.known(name))
    )


def _grants(change: Change, get: Callable[[str], Any]) -> set[Grant]:
    if change.type == "google_bigquery_dataset":
        return _entries(get("access"))
    if change.type == "google_bigquery_dataset_access":
        return set(_entry({name: get(name) for name in (*_IDENTITIES, *_OBJECTS, "role", "condition")}))
    if change.type.endswith("_iam_policy"):
        return set(_policy(get("policy_data")))
    members = [get("member")] if change.type.endswith("_iam_member") else get("members")
    role, condition = _text(get("role")), _condition(get("condition"))
    return {Grant(member=member, role=role, condition=condition) for member in _members(members)}


def _entries(access: Any) -> set[Grant]:
    if access is UNKNOWN:
        return {Grant(member=UNKNOWN_MEMBER)}
    elements = access if isinstance(access, list) else []
    return {grant for element in elements if isinstance(element, dict) for grant in _entry(element)}


def _members(members: Any) -> Iterator[str]:
    if members is UNKNOWN:
        yield UNKNOWN_MEMBER
    for member in members if isinstance(members, list) else ():
        if member is UNKNOWN:
            yield UNKNOWN_MEMBER
        elif isinstance(member, str) and member:
            yield member


def _entry(entry: dict[str, Any]) -> Iterator[Grant]:
    role, condition = canonical_role(_text(entry.get("role"))), _condition(entry.get("condition"))
    for name, prefix in _IDENTITIES.items():
        value = entry.get(name)
        if value is UNKNOWN:
            yield Grant(member=UNKNOWN_MEMBER, role=role, condition=condition)
        elif isinstance(value, str) and value:
            yield Grant(member=prefix + value, role=role, condition=condition)
    for name in _OBJECTS:
        value = entry.get(name)
        if value and value is not UNKNOWN:
            yield Grant(member=name, object=_object(value))


def _object(value: Any) -> str:
    """Such as project.dataset.view: the names in a block, in the order of BigQuery's own."""
    block = value[0] if isinstance(value, list) else value
    if not isinstance(block, dict):
        return _text(block)
    if isinstance(block.get("dataset"), list):
        return _object(block["dataset"])
    names = ("project_id", "dataset_id", "table_id", "routine_id")
    return ".".join(_text(block.get(name)) for name in names if block.get(name))


def _policy(policy_data: Any) -> Iterator[Grant]:
    if policy_data is UNKNOWN:
        yield Grant(member=UNKNOWN_MEMBER)
        return
    try:
        policy = json.loads(policy_data) if isinstance(policy_data, str) else {}
    except ValueError:
        yield Grant(member=UNKNOWN_MEMBER)
        return
    bindings = policy.get("bindings") if isinstance(policy, dict) else None
    for binding in bindings if isinstance(bindings, list) else ():
        if isinstance(binding, dict):
            role, condition = _text(binding.get("role")), _condition(binding.get("condition"))
            for member in _members(binding.get("members")):
                yield Grant(member=member, role=role, condition=condition)


def _condition(condition: Any) -> str:
    block = condition[0] if isinstance(condition, list) and condition else condition
    return _text(block.get("expression")) if isinstance(block, dict) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
