"""Members, roles and what they are granted on → words that need no knowledge of Google's."""

from __future__ import annotations

import re

from codegen.plans.markdown import code

_KINDS = {
    "group": "group",
    "user": "user",
    "serviceaccount": "service account",
    "domain": "everybody of this domain",
    "projectowner": "owners of this project",
    "projecteditor": "editors of this project",
    "projectviewer": "viewers of this project",
    "principal": "an identity of another provider",
    "principalset": "identities of another provider",
    "deleted": "deleted",
}
_PUBLIC = {"allusers": "**anyone on the internet**", "allauthenticatedusers": "**anyone with a Google account**"}
_MAY = {
    "roles/bigquery.dataViewer": "read",
    "roles/bigquery.dataEditor": "read and change",
    "roles/bigquery.dataOwner": "read, change, delete and share",
    "roles/bigquery.metadataViewer": "see names and columns, not rows, of",
    "roles/bigquery.filteredDataViewer": "read the rows that a policy lets through of",
    "roles/bigquery.jobUser": "run queries at the cost of",
    "roles/bigquery.user": "run queries at the cost of, and make datasets in,",
    "roles/bigquery.admin": "do everything with BigQuery in",
    "roles/cloudsql.client": "connect to databases of",
    "roles/editor": "change nearly everything in",
    "roles/iam.serviceAccountTokenCreator": "act as",
    "roles/iam.serviceAccountUser": "run things as",
    "roles/iam.workloadIdentityUser": "act as",
    "roles/owner": "do everything in",
    "roles/run.invoker": "start",
    "roles/secretmanager.secretAccessor": "read the secret value of",
    "roles/viewer": "see nearly everything in",
}
# What BigQuery's own lists of access call the same.
_BASIC = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}
_SPECIAL = {
    "projectowners": "owners of the project",
    "projectwriters": "editors of the project",
    "projectreaders": "viewers of the project",
}


def is_public(member: str) -> bool:
    """In any spelling: BigQuery's own lists have `allUsers` as an IAM member, a special group or on its own."""
    return _last(member) in _PUBLIC


def who(member: str) -> str:
    """Such as `analysts@example.com` (group)."""
    last = _last(member)
    if words := _PUBLIC.get(last) or _SPECIAL.get(last):
        return words
    kind, colon, name = member.partition(":")
    words = _KINDS.get(kind.lower())
    if not colon or not words:
        return code(member)
    return f"{code(member if kind.startswith('principal') else name)} ({words})"


def may(role: str, *, still: bool = True) -> str:
    """Such as: may read, may no longer read. Of a role that is not known here, its name."""
    words = _MAY.get(canonical_role(role))
    if words:
        return f"may {words}" if still else f"may no longer {words}"
    return f"{'has' if still else 'no longer has'} the role {code(role)} on"


def canonical_role(role: str) -> str:
    return _BASIC.get(role, role)


def _last(member: str) -> str:
    return re.split(r"[:/]", member)[-1].strip().lower()
