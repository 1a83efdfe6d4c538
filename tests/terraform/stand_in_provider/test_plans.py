"""What is planned for each change: each row was seen with the real provider, 7.45.0, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from terraform.runner import MakeTerraform, Terraform

NOTHING = ["no-op"]
UPDATE = ["update"]
REPLACE = ["delete", "create"]

DAY = {"name": "day", "type": "DATE", "mode": "REQUIRED"}
NUMBER = {"name": "number", "type": "INTEGER", "mode": "NULLABLE"}
TEXT = {"name": "text", "type": "STRING", "mode": "NULLABLE"}
PART = {"name": "part", "type": "INTEGER", "mode": "NULLABLE"}
DAILY = {"type": "DAY", "field": "day"}


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    # Its own type and mode never change here: chance decides whether the real provider looks at them or at its fields.
    return {"name": "record", "type": "RECORD", "mode": "NULLABLE", "fields": list(fields)}


def table(*columns: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    return {"schema": json.dumps(columns), "deletion_protection": False, **arguments}


def view(query: str) -> dict[str, Any]:
    return {"deletion_protection": False, "view": [{"query": query, "use_legacy_sql": False}]}


class Change(NamedTuple):
    before: dict[str, Any]
    after: dict[str, Any]
    planned: list[str]


PLAIN = table(DAY, NUMBER)
CHANGES = {
    "a NULLABLE column is added": Change(PLAIN, table(DAY, NUMBER, TEXT), UPDATE),
    "a REPEATED column is added": Change(PLAIN, table(DAY, NUMBER, TEXT | {"mode": "REPEATED"}), UPDATE),
    "a column without mode is added": Change(PLAIN, table(DAY, NUMBER, {"name": "x", "type": "STRING"}), UPDATE),
    "a REQUIRED column is added": Change(PLAIN, table(DAY, NUMBER, TEXT | {"mode": "REQUIRED"}), REPLACE),
    "a nested column is added": Change(table(DAY, record(PART)), table(DAY, record(PART, NUMBER)), UPDATE),
    "a column is dropped": Change(table(DAY, NUMBER, TEXT), PLAIN, UPDATE),
    "two columns are dropped": Change(table(DAY, NUMBER, TEXT), table(DAY), UPDATE),
    "a nested column is dropped": Change(table(DAY, record(PART, NUMBER)), table(DAY, record(PART)), REPLACE),
    "a column is renamed": Change(PLAIN, table(DAY, NUMBER | {"name": "amount"}), REPLACE),
    "a column is renamed by case": Change(PLAIN, table(DAY, NUMBER | {"name": "Number"}), REPLACE),
    "columns are reordered": Change(PLAIN, table(NUMBER, DAY), NOTHING),
    "nested columns are reordered": Change(table(record(PART, NUMBER)), table(record(NUMBER, PART)), NOTHING),
    "REQUIRED becomes NULLABLE": Change(PLAIN, table(DAY | {"mode": "NULLABLE"}, NUMBER), UPDATE),
    "NULLABLE becomes REQUIRED": Change(PLAIN, table(DAY, NUMBER | {"mode": "REQUIRED"}), REPLACE),
    "NULLABLE becomes REPEATED": Change(PLAIN, table(DAY, NUMBER | {"mode": "REPEATED"}), REPLACE),
    "INTEGER becomes FLOAT": Change(PLAIN, table(DAY, NUMBER | {"type": "FLOAT"}), REPLACE),
    "INTEGER becomes NUMERIC": Change(PLAIN, table(DAY, NUMBER | {"type": "NUMERIC"}), REPLACE),
    "INTEGER becomes STRING": Change(PLAIN, table(DAY, NUMBER | {"type": "STRING"}), REPLACE),
    "a nested type changes": Change(table(record(PART)), table(record(PART | {"type": "FLOAT"})), REPLACE),
    "INTEGER is written INT64": Change(PLAIN, table(DAY, NUMBER | {"type": "INT64"}), NOTHING),
    "the type is in lower case": Change(PLAIN, table(DAY, NUMBER | {"type": "integer"}), NOTHING),
    "NULLABLE is left out": Change(PLAIN, table(DAY, {"name": "number", "type": "INTEGER"}), NOTHING),
    "an empty description is added": Change(PLAIN, table(DAY, NUMBER | {"description": ""}), NOTHING),
    "a column is described": Change(PLAIN, table(DAY, NUMBER | {"description": "All."}), UPDATE),
    "a column gets a policy tag": Change(PLAIN, table(DAY, NUMBER | {"policyTags": {"names": ["t"]}}), UPDATE),
    "a column gets a default": Change(PLAIN, table(DAY, NUMBER | {"defaultValueExpression": "1"}), UPDATE),
    "the table is described": Change(PLAIN, PLAIN | {"description": "Numbers."}, UPDATE),
    "the table's empty description is written": Change(PLAIN, PLAIN | {"description": ""}, NOTHING),
    "partitioning is removed": Change(PLAIN | {"time_partitioning": DAILY}, PLAIN, REPLACE),
    "partitioning is added": Change(PLAIN, PLAIN | {"time_partitioning": DAILY}, REPLACE),
    "days become months": Change(
        PLAIN | {"time_partitioning": DAILY}, PLAIN | {"time_partitioning": DAILY | {"type": "MONTH"}}, UPDATE
    ),
    "partitions by another column": Change(
        table(DAY, DAY | {"name": "other"}, time_partitioning=DAILY),
        table(DAY, DAY | {"name": "other"}, time_partitioning=DAILY | {"field": "other"}),
        REPLACE,
    ),
    "partitions expire": Change(
        PLAIN | {"time_partitioning": DAILY},
        PLAIN | {"time_partitioning": DAILY | {"expiration_ms": 86_400_000}},
        UPDATE,
    ),
    "partitions expire no more": Change(
        PLAIN | {"time_partitioning": DAILY | {"expiration_ms": 86_400_000}},
        PLAIN | {"time_partitioning": DAILY},
        NOTHING,
    ),
    "a partition filter is required": Change(
        PLAIN | {"time_partitioning": DAILY},
        PLAIN | {"time_partitioning": DAILY, "require_partition_filter": True},
        UPDATE,
    ),
    "clustering is added": Change(PLAIN, PLAIN | {"clustering": ["number"]}, UPDATE),
    "clustering changes": Change(PLAIN | {"clustering": ["day"]}, PLAIN | {"clustering": ["number"]}, UPDATE),
    "clustering is removed": Change(PLAIN | {"clustering": ["day"]}, PLAIN, UPDATE),
    "a label is added": Change(PLAIN, PLAIN | {"labels": {"team": "data"}}, UPDATE),
    "the table expires": Change(PLAIN, PLAIN | {"expiration_time": 4_000_000_000_000}, UPDATE),
    "deletion is protected": Change(PLAIN, PLAIN | {"deletion_protection": True}, UPDATE),
    "the table is renamed": Change(PLAIN, PLAIN | {"table_id": "renamed"}, REPLACE),
    "the schema is left out": Change(PLAIN, {"deletion_protection": False}, NOTHING),
    "a view gets another query": Change(view("SELECT 1 AS one"), view("SELECT 2 AS one"), UPDATE),
}

DATASETS = {
    "a dataset is described": Change({"location": "EU"}, {"location": "EU", "description": "Numbers."}, UPDATE),
    "a location is written in lower case": Change({"location": "EU"}, {"location": "eu"}, NOTHING),
    "a dataset moves": Change({"location": "EU"}, {"location": "US"}, REPLACE),
    "a dataset is renamed": Change({}, {"dataset_id": "renamed"}, REPLACE),
    "a dataset moves to the default location": Change({"location": "EU"}, {}, REPLACE),
}

GRANTS = {
    "a member is written in capitals": Change({"member": "group:a@x.org"}, {"member": "group:A@X.org"}, NOTHING),
    "another member": Change({"member": "group:b@x.org"}, {"member": "group:c@x.org"}, REPLACE),
    "another role": Change(
        {"member": "group:d@x.org"}, {"member": "group:d@x.org", "role": "roles/bigquery.dataEditor"}, REPLACE
    ),
}


REMOVED = {
    "the block is removed": ["delete"],
    "a removed block is left in its place": ["forget"],
}


def slug(claim: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in claim)


def resources(moment: str) -> dict[str, Any]:
    dataset_id = "${google_bigquery_dataset.all.dataset_id}"
    tables = {slug(claim): getattr(change, moment) for claim, change in CHANGES.items()}
    if moment == "before":
        tables |= {slug(claim): PLAIN for claim in REMOVED}
    datasets = {slug(claim): getattr(change, moment) for claim, change in DATASETS.items()}
    grants = {slug(claim): getattr(change, moment) for claim, change in GRANTS.items()}
    read = {"dataset_id": dataset_id, "role": "roles/bigquery.dataViewer"}
    return {
        "resource": {
            "google_bigquery_dataset": {
                "all": {"dataset_id": "plans", "location": "EU"},
                **{name: {"dataset_id": name, **arguments} for name, arguments in datasets.items()},
            },
            "google_bigquery_table": {
                name: {"dataset_id": dataset_id, "table_id": name, **arguments} for name, arguments in tables.items()
            },
            "google_bigquery_dataset_iam_member": {name: read | arguments for name, arguments in grants.items()},
        }
    }


def after() -> dict[str, Any]:
    forgotten = f"google_bigquery_table.{slug('a removed block is left in its place')}"
    return resources("after") | {"removed": [{"from": forgotten, "lifecycle": {"destroy": False}}]}


@pytest.fixture(scope="module")
def applied(make_terraform: MakeTerraform) -> Terraform:
    """All as it is before."""
    terraform = make_terraform()
    terraform.apply(resources("before"))
    assert terraform.is_up_to_date()
    return terraform


@pytest.fixture(scope="module")
def planned(applied: Terraform) -> dict[str, list[str]]:
    """All changes in one plan: actions by the resource's name."""
    actions = applied.plan(after())
    return {address.partition(".")[2]: planned for address, planned in actions.items()}


@pytest.mark.parametrize("claim", [*CHANGES, *DATASETS, *GRANTS])
def test_the_plan_is_that_of_the_real_provider(claim: str, planned: dict[str, list[str]]) -> None:
    assert planned[slug(claim)] == (CHANGES | DATASETS | GRANTS)[claim].planned


@pytest.mark.parametrize("claim", REMOVED)
def test_a_table_that_goes(claim: str, planned: dict[str, list[str]]) -> None:
    assert planned[slug(claim)] == REMOVED[claim]


def test_prevent_destroy_fails_the_plan_of_a_replacement(applied: Terraform) -> None:
    configuration = after()
    for arguments in configuration["resource"]["google_bigquery_table"].values():
        arguments["lifecycle"] = {"prevent_destroy": True}
    applied.configure(configuration)

    exit_code, output = applied.run("plan")

    assert exit_code == 1
    replaced = [change for change in CHANGES.values() if change.planned == REPLACE]
    assert output.count("Error: Instance cannot be destroyed") == len(replaced)
