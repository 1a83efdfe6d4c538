"""Grants before and after → who may do what from now on, and who no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.plans.access import GRANTING, UNKNOWN_MEMBER, Grant, grants_after, grants_before
from codegen.plans.attributes import rest_findings
from codegen.plans.change import Action
from codegen.plans.finding import Stop, loud, plain, stop
from codegen.plans.lifecycle import because
from codegen.plans.markdown import code
from codegen.plans.members import is_public, may, who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding

_SUFFIXES = ("_iam_member", "_iam_binding", "_iam_policy", "_access")
# What a grant is on, by the type of its resource: a word, and the attributes that name it.
_OBJECTS = {
    "google_bigquery_dataset": ("dataset", ("dataset_id",)),
    "google_bigquery_table": ("table", ("dataset_id", "table_id")),
    "google_cloud_run_v2_job": ("job", ("name",)),
    "google_cloud_run_v2_service": ("service", ("name",)),
    "google_folder": ("folder", ("folder",)),
    "google_organization": ("organization", ("org_id",)),
    "google_project": ("project", ("project",)),
    "google_pubsub_topic": ("topic", ("topic",)),
    "google_secret_manager_secret": ("secret", ("secret_id",)),
    "google_service_account": ("service account", ("service_account_id",)),
    "google_storage_bucket": ("bucket", ("bucket",)),
}
_WHOLE = ("google_project_iam_", "google_folder_iam_", "google_organization_iam_")
_WIDE = {"roles/owner", "roles/editor", "roles/iam.securityAdmin", "roles/resourcemanager.projectIamAdmin"}
_WIDE |= {f"roles/bigquery.{name}" for name in ("admin", "dataOwner", "dataEditor", "dataViewer")}
_SOMEBODY = Grant(member=UNKNOWN_MEMBER)


def grant_findings(change: Change) -> Iterator[Finding]:
    """For a resource that is a grant, or several."""
    if change.action in (Action.forget, Action.nothing):
        if change.is_imported or change.action is Action.forget:
            yield from (plain(_words(change, grant, _object(change))) for grant in _in_order(grants_before(change)))
        return
    yield from _difference(change, _object(change))
    yield from _authoritative(change)
    yield from rest_findings(change, GRANTING)


def access_findings(change: Change) -> Iterator[Finding]:
    """For a dataset: its own list of access, which holds what other resources grant, too."""
    # Of a new dataset BigQuery makes the list, unless there is one in the configuration.
    if change.differs("access") and (change.action is not Action.create or change.known("access")):
        yield from _difference(change, "the dataset")


def _difference(change: Change, what: str) -> Iterator[Finding]:
    before, after = grants_before(change), grants_after(change)
    for grant in _in_order(after - before - {_SOMEBODY}):
        text = _words(change, grant, what)
        if is_public(grant.member):
            yield stop(Stop.public, text)
        else:
            yield loud(text) if _is_wide(change, grant) else plain(text)
    is_open = any(grant.member == UNKNOWN_MEMBER for grant in after)
    if _SOMEBODY in after or (is_open and before):
        yield loud(f"who else gets or keeps access to {what}, Terraform knows after the apply only")
        return
    for grant in _in_order(before - after):
        yield plain(_words(change, grant, what, still=False))
    if before == after and change.ends:
        yield plain(f"access to {what} is taken away and given again{because(change)}")


def _is_wide(change: Change, grant: Grant) -> bool:
    """Rows of every dataset, or access to everything, in a project or beyond."""
    return change.type.startswith(_WHOLE) and grant.role in _WIDE


def _words(change: Change, grant: Grant, what: str, *, still: bool = True) -> str:
    if any(map(change.is_sensitive, GRANTING)):
        return f"access to {what} is {'given' if still else 'taken away'}, to whom and which is secret (sensitive)"
    if grant.object:
        verb = "may" if still else "may no longer"
        return f"the {grant.member} {code(grant.object)} {verb} read {what}, for whoever queries it"
    member = who(grant.member) if grant.member else "somebody who is known after the apply only"
    condition = f", if {code(grant.condition)}" if grant.condition else ""
    return f"{member} {may(grant.role, still=still)} {what}{condition}"


def _in_order(grants: set[Grant]) -> list[Grant]:
    return sorted(grants, key=lambda grant: (grant.role, grant.member, grant.object, grant.condition))


def _authoritative(change: Change) -> Iterator[Finding]:
    """A binding and a policy also take away what they do not name; that is not in the plan."""
    if change.action not in (Action.create, Action.replace) and not change.is_imported:
        return
    if change.type.endswith("_iam_policy"):
        yield loud(f"everybody else loses access to {_object(change)}: this policy becomes all there is")
    elif change.type.endswith("_iam_binding"):
        yield loud(f"everybody else loses the role {change.show('role')} on {_object(change)}")


def _object(change: Change) -> str:
    base = next(change.type.removesuffix(suffix) for suffix in _SUFFIXES if change.type.endswith(suffix))
    generic = (base.removeprefix("google_").replace("_", " "), ("name", base.rpartition("_")[2], "resource"))
    word, names = _OBJECTS.get(base, generic)
    if any(map(change.is_sensitive, names)):
        return f"the {word} (sensitive)"
    values = [change.now(name) for name in names]
    known = [value for value in values if isinstance(value, str) and value]
    return f"the {word} {code('.'.join(known))}" if known else f"the {word} of {code(change.address)}"
