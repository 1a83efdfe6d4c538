"""A dataset has its access, remembers what was written, and is not deleted with its contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.clients import field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


@observed(
    repaired=[
        ("WRITER", "projectWriters"),
        ("OWNER", "projectOwners"),
        ("OWNER", "terraform@example-project.iam.gserviceaccount.com"),
        ("READER", "projectReaders"),
    ],
    as_it_comes=[],
)
def test_a_new_dataset_has_the_default_access(clients: Clients, dataset: str, expected: object) -> None:
    entries = clients.bigquery.get_dataset(dataset).access_entries

    assert [(entry.role, entry.entity_id) for entry in entries] == expected


@observed(
    repaired=[
        {"role": "WRITER", "groupByEmail": "team@example.com"},
        {"role": "projects/p/roles/exporter", "userByEmail": "exporter@p.iam.gserviceaccount.com"},
    ],
    as_it_comes=[
        {"role": "roles/bigquery.dataEditor", "groupByEmail": "Team@Example.com"},
        {"role": "WRITER", "groupByEmail": "team@example.com"},
        {"role": "projects/p/roles/exporter", "userByEmail": "exporter@p.iam.gserviceaccount.com"},
    ],
)
def test_access_is_stored_with_legacy_roles_lower_case_and_once(
    clients: Clients, dataset: str, expected: object
) -> None:
    access = [
        {"role": "roles/bigquery.dataEditor", "groupByEmail": "Team@Example.com"},
        {"role": "WRITER", "groupByEmail": "team@example.com"},
        {"role": "projects/p/roles/exporter", "userByEmail": "exporter@p.iam.gserviceaccount.com"},
    ]

    clients.http("PATCH", f"datasets/{dataset}?accessPolicyVersion=3", {"access": access})

    assert clients.http("GET", f"datasets/{dataset}?accessPolicyVersion=3")[1]["access"] == expected


@observed(repaired=(None, None, "48", 4), as_it_comes=("before", {"team": "data"}, "168", 0))
def test_put_replaces_a_dataset_and_keeps_its_access(clients: Clients, dataset: str, expected: object) -> None:
    clients.http("PATCH", f"datasets/{dataset}", {"description": "before", "labels": {"team": "data"}})

    clients.http("PUT", f"datasets/{dataset}", {"maxTimeTravelHours": "48"})

    _, after = clients.http("GET", f"datasets/{dataset}")
    seen = (after.get("description"), after.get("labels"), after["maxTimeTravelHours"], len(after.get("access", ())))
    assert seen == expected


@observed(repaired=(200, {"b": "2"}), as_it_comes=(500, {"a": "1"}))
def test_a_label_set_to_null_is_removed(clients: Clients, dataset: str, expected: object) -> None:
    clients.http("PATCH", f"datasets/{dataset}", {"labels": {"a": "1"}})

    status, _ = clients.http("PATCH", f"datasets/{dataset}", {"labels": {"a": None, "b": "2"}})

    assert (status, clients.http("GET", f"datasets/{dataset}")[1]["labels"]) == expected


@observed(repaired=(400, "resourceInUse"), as_it_comes=(404, "notFound"))
def test_a_dataset_that_is_not_empty_is_not_deleted(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))

    status, answer = clients.http("DELETE", f"datasets/{dataset}")

    assert (status, answer["error"]["errors"][0]["reason"]) == expected
    assert clients.http("DELETE", f"datasets/{dataset}?deleteContents=true")[0] == 204


def test_what_is_missing_cannot_be_deleted(clients: Clients, dataset: str) -> None:
    paths = ("datasets/missing", "datasets/missing/tables/t", f"datasets/{dataset}/tables/missing")

    assert [clients.http("DELETE", path)[0] for path in paths] == [404, 404, 404]
