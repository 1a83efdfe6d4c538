"""Terraform from `init` to `destroy` with the stand-in, and with the real provider where TERRAFORM_PROVIDER says so."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from terraform.runner import MakeTerraform, Terraform
    from terraform.stand_in_provider.conftest import Rest

WAREHOUSE = """
resource "google_bigquery_dataset" "numbers" {
  dataset_id  = "numbers"
  description = "What we count."
  location    = "EU"
}

resource "google_bigquery_table" "user" {
  dataset_id          = google_bigquery_dataset.numbers.dataset_id
  project             = google_bigquery_dataset.numbers.project
  table_id            = "user"
  clustering          = ["country"]
  deletion_protection = false
  schema = jsonencode([
    { name = "day", type = "DATE", mode = "REQUIRED" },
    { name = "users", type = "INTEGER", mode = "NULLABLE", description = "Ever \\"registered\\"." },
    { name = "country", type = "STRING", mode = "NULLABLE" },
  ])

  time_partitioning {
    type  = "DAY"
    field = "day"
  }
}

resource "google_bigquery_table" "user_delta" {
  dataset_id          = google_bigquery_dataset.numbers.dataset_id
  table_id            = "user_delta"
  deletion_protection = false

  view {
    query          = "SELECT `day` FROM `${google_bigquery_table.user.project}.numbers.${google_bigquery_table.user.table_id}`"
    use_legacy_sql = false
  }
}

resource "google_bigquery_table" "derived" {
  dataset_id          = element(split("/", google_bigquery_dataset.numbers.id), 3)
  project             = element(split("/", google_bigquery_dataset.numbers.id), 1)
  table_id            = "derived"
  description         = "In ${google_bigquery_dataset.numbers.id}."
  deletion_protection = false
}

resource "google_bigquery_dataset_iam_member" "writers" {
  for_each   = toset(["group:a@example.com", "group:b@example.com"])
  dataset_id = google_bigquery_dataset.numbers.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = each.key
}

output "query" {
  value = google_bigquery_table.user_delta.view[0].query
}
"""  # noqa: E501 a query is one string

READER = "roles/bigquery.dataViewer"
WRITER = "roles/bigquery.dataEditor"
NUMBER = json.dumps([{"name": "number", "type": "INTEGER"}])
PROJECT = "example-project"


def dataset(dataset_id: str, **arguments: Any) -> dict[str, Any]:
    """A configuration with this dataset only, known to others as `google_bigquery_dataset.only`."""
    return {"resource": {"google_bigquery_dataset": {"only": {"dataset_id": dataset_id, **arguments}}}}


def add(configuration: dict[str, Any], resource_type: str, **resources: dict[str, Any]) -> dict[str, Any]:
    """More resources of that dataset."""
    inside = {"dataset_id": "${google_bigquery_dataset.only.dataset_id}"}
    added = configuration["resource"].setdefault(f"google_bigquery_{resource_type}", {})
    added |= {name: inside | arguments for name, arguments in resources.items()}
    return configuration


def table(table_id: str, **arguments: Any) -> dict[str, Any]:
    return {"table_id": table_id, "schema": NUMBER, "deletion_protection": False, **arguments}


def test_a_warehouse_is_made_once_and_destroyed(terraform: Terraform, rest: Rest) -> None:
    terraform.configure(WAREHOUSE)

    assert terraform.run("validate") == (0, "Success! The configuration is valid.")
    assert set(map(tuple, terraform.plan().values())) == {("create",)}
    changes = {change["address"]: change["change"] for change in terraform.show("plan")["resource_changes"]}
    assert changes["google_bigquery_dataset.numbers"]["after"]["project"] == PROJECT
    unknown = changes["google_bigquery_table.derived"]["after_unknown"]
    assert {name for name, value in unknown.items() if value is True} >= {"dataset_id", "project", "description", "id"}

    assert terraform.run("apply", "plan").exit_code == 0
    assert terraform.is_up_to_date()
    view = rest("GET", "datasets/numbers/tables/user_delta")["view"]["query"]
    assert (
        view == terraform.show()["values"]["outputs"]["query"]["value"] == f"SELECT `day` FROM `{PROJECT}.numbers.user`"
    )

    assert terraform.run("destroy", "-auto-approve").exit_code == 0
    assert rest("GET", "datasets/numbers") == {}


def test_changes_in_place_reach_bigquery_and_leave_nothing_to_do(terraform: Terraform, rest: Rest) -> None:
    def changing(*columns: str, dataset_is: str, **arguments: Any) -> dict[str, Any]:
        schema = json.dumps([{"name": name, "type": "INTEGER"} for name in columns])
        configuration = dataset("changing", description=dataset_is)
        add(configuration, "table", only=table("only", schema=schema, **arguments))
        return add(configuration, "dataset_iam_member", only={"role": READER, "member": "group:a@example.com"})

    terraform.apply(changing("kept", "dropped", dataset_is="Old.", description="Before.", labels={"team": "data"}))
    made = rest("GET", "datasets/changing/tables/only")["creationTime"]
    access = rest.access("changing")

    terraform.apply(changing("kept", dataset_is="New.", description="After.", clustering=["kept"]))
    assert terraform.is_up_to_date()
    terraform.apply(changing("kept", "added", dataset_is="New.", description="After.", clustering=["added"]))
    assert terraform.is_up_to_date()

    changed = rest("GET", "datasets/changing/tables/only")
    assert [field["name"] for field in changed["schema"]["fields"]] == ["kept", "added"]
    assert changed["description"] == "After."
    assert changed["clustering"] == {"fields": ["added"]}
    assert changed["labels"] == {"goog-terraform-provisioned": "true"}
    assert changed["creationTime"] == made
    assert rest("GET", "datasets/changing")["description"] == "New."
    assert rest.access("changing") == access


def test_grants_come_and_go_beside_the_default_access(terraform: Terraform, rest: Rest) -> None:
    rest("POST", "datasets", {"datasetReference": {"datasetId": "ungranted", "projectId": PROJECT}})
    default = rest.access("ungranted")
    account = "serviceAccount:exporter@example-project.iam.gserviceaccount.com"
    members = [f"group:team-{number}@example.com" for number in range(4)] + [account]  # at the same time

    def granted(*members: str) -> dict[str, Any]:
        grants = {f"member_{number}": {"role": WRITER, "member": member} for number, member in enumerate(members)}
        return add(dataset("granted"), "dataset_iam_member", **grants)

    terraform.apply(granted(*members))
    assert terraform.is_up_to_date()
    access = rest.access("granted")
    assert all(entry in access for entry in default)
    added = [entry for entry in access if entry not in default]
    assert {entry["role"] for entry in added} <= {"WRITER", WRITER}
    assert {entry.get("groupByEmail") or entry["userByEmail"] for entry in added} == {
        member.partition(":")[2] for member in members
    }

    terraform.apply(granted(members[0]))
    left = rest.access("granted")
    assert all(entry in left for entry in default)
    assert [entry["groupByEmail"] for entry in left if entry not in default] == ["team-0@example.com"]


def test_drift_is_seen_and_undone(terraform: Terraform, rest: Rest) -> None:
    tables = {name: table(name) for name in ("altered", "deleted", "untouched")}
    configuration = add(dataset("drifting"), "table", **tables)
    add(configuration, "dataset_iam_member", revoked={"role": READER, "member": "group:a@example.com"})
    terraform.apply(configuration)

    rest("DELETE", "datasets/drifting/tables/deleted")
    altered = rest("GET", "datasets/drifting/tables/altered")
    altered["schema"]["fields"].append({"name": "surprise", "type": "STRING", "mode": "NULLABLE"})
    rest("PUT", "datasets/drifting/tables/altered", altered)
    kept = [entry for entry in rest.access("drifting") if "groupByEmail" not in entry]
    rest("PATCH", "datasets/drifting", {"access": kept})

    assert terraform.plan() == {
        "google_bigquery_dataset.only": ["no-op"],
        "google_bigquery_dataset_iam_member.revoked": ["create"],
        "google_bigquery_table.altered": ["update"],
        "google_bigquery_table.deleted": ["create"],
        "google_bigquery_table.untouched": ["no-op"],
    }
    assert terraform.run("apply", "plan").exit_code == 0
    assert terraform.is_up_to_date()
    fields = rest("GET", "datasets/drifting/tables/altered")["schema"]["fields"]
    assert [field["name"] for field in fields] == ["number"]


def test_destroy_stops_at_protection_policy_and_contents(terraform: Terraform, rest: Rest) -> None:
    for dataset_id in ("full", "elsewhere"):
        rest("POST", "datasets", {"datasetReference": {"datasetId": dataset_id, "projectId": PROJECT}})
    rest("POST", "datasets/full/tables", {"tableReference": {"datasetId": "full", "tableId": "somebody_s"}})

    def guarded(*, is_guarded: bool) -> dict[str, Any]:
        configuration = dataset("guarded")
        configuration["resource"]["google_bigquery_dataset"]["full"] = {
            "dataset_id": "full",
            "delete_contents_on_destroy": not is_guarded,
        }
        add(configuration, "table", abandoned=table("abandoned", deletion_policy="ABANDON", dataset_id="elsewhere"))
        return add(
            configuration,
            "table",
            protected=table("protected", deletion_protection=None if is_guarded else False),  # true is the default
            prevented=table("prevented", deletion_policy="PREVENT" if is_guarded else None),
        )

    terraform.configure(guarded(is_guarded=True))
    assert terraform.run("import", "google_bigquery_dataset.full", "full").exit_code == 0
    assert terraform.run("apply", "-auto-approve").exit_code == 0

    exit_code, output = terraform.run("destroy", "-auto-approve")
    assert exit_code == 1
    path = f"projects/{PROJECT}/datasets/guarded/tables"
    assert f"cannot destroy table {path}/protected without setting deletion_protection=false and running" in output
    assert f'cannot destroy "{path}/prevented" without setting deletion_policy="DELETE" and running' in output
    assert f"googleapi: Error 400: Dataset {PROJECT}:full is still in use, resourceInUse" in output

    assert rest("GET", "datasets/elsewhere/tables/abandoned")["type"] == "TABLE"

    released = guarded(is_guarded=False)
    del released["resource"]["google_bigquery_table"]["abandoned"]
    terraform.apply(released)
    assert terraform.run("destroy", "-auto-approve").exit_code == 0
    assert rest("GET", "datasets/guarded") == rest("GET", "datasets/full") == {}


def test_what_exists_is_imported(terraform: Terraform, rest: Rest) -> None:
    reference = {"projectId": PROJECT, "datasetId": "adopted"}
    rest("POST", "datasets", {"datasetReference": reference, "location": "US"})
    for table_id in ("by_block", "by_command"):
        body = {"tableReference": reference | {"tableId": table_id}, "schema": {"fields": json.loads(NUMBER)}}
        rest("POST", "datasets/adopted/tables", body)
    access = [*rest.access("adopted"), {"role": "WRITER", "groupByEmail": "a@example.com"}]
    rest("PATCH", "datasets/adopted", {"access": access})
    name = f"projects/{PROJECT}/datasets/adopted"
    configuration = add(dataset("adopted"), "table", by_block=table("by_block"), by_command=table("by_command"))
    add(configuration, "dataset_iam_member", only={"role": WRITER, "member": "group:a@example.com"})
    configuration["import"] = [
        {"to": "google_bigquery_dataset.only", "id": name},
        {"to": "google_bigquery_table.by_block", "id": f"{name}/tables/by_block"},
        {"to": "google_bigquery_dataset_iam_member.only", "id": f"{name} {WRITER} group:a@example.com"},
    ]
    terraform.configure(configuration)

    assert terraform.run("import", "google_bigquery_table.by_command", f"{name}/tables/by_command").exit_code == 0
    exit_code, output = terraform.run("apply", "-auto-approve")
    assert exit_code == 0, output
    assert "Resources: 3 imported, 0 added, " in output
    assert "0 destroyed" in output
    assert terraform.is_up_to_date()
    assert {(entry["role"], entry.get("groupByEmail")) for entry in rest.access("adopted")} == {
        (entry["role"], entry.get("groupByEmail")) for entry in access
    }


def test_what_does_not_exist_is_not_imported(terraform: Terraform) -> None:
    terraform.configure(dataset("absent"))

    exit_code, output = terraform.run("import", "google_bigquery_dataset.only", f"projects/{PROJECT}/datasets/absent")

    assert exit_code == 1
    assert "Cannot import non-existent remote object" in output


def test_bigquery_s_own_words_are_the_error(terraform: Terraform, rest: Rest) -> None:
    rest("POST", "datasets", {"datasetReference": {"projectId": PROJECT, "datasetId": "taken"}})
    terraform.configure(dataset("taken"))

    exit_code, output = terraform.run("apply", "-auto-approve")

    assert exit_code == 1
    assert "Error creating Dataset: googleapi: Error 409: Already Exists: " in output
    assert ".taken, duplicate" in output


def test_validate_finds_what_no_plan_could_use(terraform: Terraform) -> None:
    wrong = {
        "schema": "not JSON",
        "clustering": ["a", "b", "c", "d", "e"],
        "time_partitioning": {"type": "WEEK"},
    }
    tables = {argument: table("wrong", dataset_id="any", **{argument: value}) for argument, value in wrong.items()}
    terraform.configure(add(dataset("with-dashes"), "table", **tables))

    exit_code, output = terraform.run("validate")

    assert exit_code == 1
    errors = output.split("Error: ")[1:]
    assert len(errors) == 4, output
    for argument in [*wrong, "dataset_id"]:
        assert any(argument in error for error in errors), argument


@pytest.mark.skipif(os.environ.get("TERRAFORM_PROVIDER") == "registry", reason="It is made to leave this machine.")
@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("", "No BigQuery endpoint is set"),
        ("https://bigquery.googleapis.com/bigquery/v2/", "is not on this machine"),
        ("http://127.0.0.1:1/bigquery/v2/", "does not answer"),
    ],
)
def test_only_an_emulator_on_this_machine_is_talked_to(
    make_terraform: MakeTerraform, endpoint: str, message: str
) -> None:
    terraform = make_terraform(GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT=endpoint)
    terraform.configure(dataset("nowhere"))

    exit_code, output = terraform.run("apply", "-auto-approve")

    assert exit_code == 1
    assert message in output
