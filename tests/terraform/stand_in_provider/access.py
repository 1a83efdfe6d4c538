"""A dataset's access list and one role of one member: is it there, put it there, take it away.

The other entries stay exactly as they are, in their order: default ones, authorized views, other people's grants.
"""

from __future__ import annotations

from typing import Any

from terraform.stand_in_provider.errors import LegacyRoleError, MemberUnknownError

Entry = dict[str, Any]

_ROLES = {  # BigQuery answers with the short names, Terraform wants the long ones
    "OWNER": "roles/bigquery.dataOwner",
    "WRITER": "roles/bigquery.dataEditor",
    "READER": "roles/bigquery.dataViewer",
}
_KEYS = {
    "group": "groupByEmail",
    "domain": "domain",
    "iamMember": "iamMember",
    "user": "userByEmail",
    "serviceAccount": "userByEmail",
}
_SPECIAL_GROUPS = {"projectOwners", "projectReaders", "projectWriters", "allAuthenticatedUsers"}


def member_with(access: list[Entry], role: str, member: str) -> str | None:
    """The member as BigQuery spells it, if it has the role without a condition."""
    return next((str(_member(entry)) for entry in access if _grants(entry, role, member)), None)


def with_grant(access: list[Entry], role: str, member: str) -> list[Entry]:
    if role in _ROLES:
        raise LegacyRoleError(role, _ROLES[role])
    return access if member_with(access, role, member) else [*access, {"role": role, **_entry(member)}]


def without_grant(access: list[Entry], role: str, member: str) -> list[Entry]:
    return [entry for entry in access if not _grants(entry, role, member)]


def _grants(entry: Entry, role: str, member: str) -> bool:
    found = _member(entry)
    full_role = _ROLES.get(entry.get("role", ""), entry.get("role"))
    return bool(found) and "condition" not in entry and full_role == role and str(found).lower() == member.lower()


def _entry(member: str) -> Entry:
    kind, _, name = member.partition(":")
    if name and kind in _KEYS:
        return {_KEYS[kind]: name}
    if member in _SPECIAL_GROUPS:
        return {"specialGroup": member}
    raise MemberUnknownError(member)


def _member(entry: Entry) -> str | None:
    """None for an authorized view, dataset or routine: they are no members."""
    if email := entry.get("userByEmail"):
        return f"serviceAccount:{email}" if "gserviceaccount" in email else f"user:{email}"
    if "specialGroup" in entry:
        return str(entry["specialGroup"])
    kinds = {key: kind for kind, key in _KEYS.items() if key != "userByEmail"}
    return next((f"{kind}:{entry[key]}" for key, kind in kinds.items() if key in entry), None)
