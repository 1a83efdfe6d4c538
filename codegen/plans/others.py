"""A resource that this review has no words for → its action, what of it changes, and whether it holds data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.plans.attributes import rest_findings
from codegen.plans.change import Action
from codegen.plans.finding import Stop, loud, stop
from codegen.plans.lifecycle import because
from codegen.plans.members import is_public
from codegen.plans.sensitive import revealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding

_HOLDS_DATA = {
    "google_bigtable_instance",
    "google_bigtable_table",
    "google_filestore_instance",
    "google_firestore_database",
    "google_kms_crypto_key",
    "google_project",
    "google_spanner_database",
    "google_spanner_instance",
    "google_sql_database",
    "google_sql_database_instance",
    "google_storage_bucket",
    "google_storage_bucket_object",
}
_RUNS = {"google_bigquery_job", "google_bigquery_data_transfer_config"}
_HIDES = {
    "google_bigquery_row_access_policy": "rows that it hid can be read by whoever may read the table",
    "google_bigquery_datapolicy_data_policy": "values that it masked may be read",
    "google_bigquery_datapolicyv2_data_policy": "values that it masked may be read",
    "google_data_catalog_policy_tag": "columns that it covered may be read",
}


def other_findings(change: Change) -> Iterator[Finding]:
    if change.ends:
        again = " and made again" if change.action is Action.replace else ""
        text = f"would be deleted{again}{because(change)}"
        if change.type in _HOLDS_DATA:
            yield stop(Stop.data_lost, f"{text}, with all that is in it")
        elif change.type in _HIDES:
            yield loud(f"{text}: {_HIDES[change.type]}")
        else:
            yield loud(text)
    if change.type in _RUNS and change.action in (Action.create, Action.replace):
        yield loud("would run a query or load job: what that does to rows, this review does not say")
    if any(map(_is_anyone, _texts(change.after))) and not any(map(_is_anyone, _texts(change.before))):
        yield stop(Stop.public, "one of its settings is opened to **anyone**")
    yield from rest_findings(change, ())


def _is_anyone(text: str) -> bool:
    """The whole of it, so that no description which speaks of them is taken for a grant."""
    return is_public(text) and not {":", "/"} & set(text)


def _texts(tree: Any) -> Iterator[str]:
    tree = revealed(tree)
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, (dict, list)):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _texts(part)
