"""What terraform/ makes of the example project's extractors, applied, changed, protected, and exported into."""

# pytest-terraform has no types.
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from pytest_terraform import terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_terraform.tf import TerraformTestApi

    from emulator.process import Emulator

REPOSITORY = Path(__file__).resolve().parents[2]
MANAGE = REPOSITORY / "tests" / "example" / "manage.py"
FLIGHTS_OF_TWO_DAYS = {date(2025, 1, 1): 842, date(2025, 1, 2): 943}


@pytest.fixture
def client(terraform_emulator: Emulator) -> Iterator[bigquery.Client]:
    client = bigquery.Client(
        project=terraform_emulator.project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": terraform_emulator.rest_url},
    )
    with client:
        yield client


def run_terraform(deployment: TerraformTestApi, *arguments: str, directory: Path | None = None) -> tuple[int, str]:
    """Exit code and output of Terraform on the deployment's state, with its own module or that of `directory`."""
    runner = deployment.terraform
    environ = os.environ | {"TF_DATA_DIR": str(runner.work_dir), "TF_IN_AUTOMATION": "1"}
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=directory or runner.module_dir,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def plan(deployment: TerraformTestApi, tmp_path: Path, directory: Path | None = None) -> dict[str, list[str]]:
    """Planned actions by address, those that change something."""
    planned = tmp_path / "plan"
    code, output = run_terraform(
        deployment,
        "plan",
        "-input=false",
        f"-state={deployment.terraform.state_path}",
        f"-out={planned}",
        directory=directory,
    )
    assert code == 0, output
    code, output = run_terraform(deployment, "show", "-json", str(planned), directory=directory)
    changes = json.loads(output)["resource_changes"]
    actions = {change["address"]: change["change"]["actions"] for change in changes}
    return {address: action for address, action in actions.items() if action != ["no-op"]}


def manage(*arguments: str, **environ: str) -> tuple[str, str, int]:
    done = subprocess.run(
        [sys.executable, MANAGE, *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr, done.returncode


@terraform("deployment", scope="session", replay=False)
def test_apply_makes_datasets_tables_views_and_access(deployment: TerraformTestApi, client: bigquery.Client) -> None:
    tables = {f"{item.dataset_id}.{item.table_id}": item.table_type for item in client.list_tables("flights")}
    tables |= {f"{item.dataset_id}.{item.table_id}": item.table_type for item in client.list_tables("flights_exporter")}

    assert tables == {
        "flights.carrier_day": "TABLE",
        "flights.departure": "TABLE",
        "flights.traffic": "TABLE",
        "flights.traffic_delta": "VIEW",
        "flights_exporter.ledger": "TABLE",
    }
    assert deployment.outputs["dataset_id"]["value"] == "flights"
    departure = client.get_table("flights.departure")
    assert (departure.time_partitioning.type_, departure.time_partitioning.field) == ("DAY", "timestamp")
    assert departure.clustering_fields == ["carrier", "origin"]
    granted = {(entry.role, entry.entity_id) for entry in client.get_dataset("flights").access_entries}
    assert {("WRITER", "data-team@example.com"), ("READER", "analysts@example.com")} <= granted
    private = {entry.entity_id for entry in client.get_dataset("flights_exporter").access_entries}
    assert private.isdisjoint({"data-team@example.com", "analysts@example.com"})


@terraform("deployment", scope="session", replay=False)
def test_a_second_plan_is_empty(deployment: TerraformTestApi, tmp_path: Path) -> None:
    assert plan(deployment, tmp_path) == {}


@terraform("deployment", scope="session", replay=False)
def test_the_schema_in_bigquery_is_the_dataclass_s(deployment: TerraformTestApi, client: bigquery.Client) -> None:
    assert deployment.outputs
    committed = json.loads((REPOSITORY / "terraform/warehouse/schemas/carrier_day.json").read_text("utf-8"))

    assert _names_types_modes(f.to_api_repr() for f in client.get_table("flights.carrier_day").schema) == (
        _names_types_modes(committed)
    )


@terraform("deployment", scope="session", replay=False)
def test_the_plain_configuration_cannot_be_destroyed(
    deployment: TerraformTestApi, tmp_path: Path, client: bigquery.Client
) -> None:
    protected = tmp_path / "protected"
    shutil.copytree(deployment.terraform.module_dir, protected)
    (protected / "warehouse" / "test_override.tf").unlink()

    code, output = run_terraform(
        deployment,
        "plan",
        "-destroy",
        "-input=false",
        "-no-color",
        f"-state={deployment.terraform.state_path}",
        directory=protected,
    )

    assert code == 1
    words = " ".join(output.replace("│", "").split())
    # Terraform looks at a dataset only after its tables: those alone are named.
    for table in ("departure", "traffic", "carrier_day", "exporter_ledger"):
        assert f"Resource module.warehouse.google_bigquery_table.{table} has lifecycle.prevent_destroy set" in words
    assert client.get_table("flights.departure")


@terraform("changing", scope="function", replay=False)
def test_an_added_column_is_updated_in_place_and_rows_stay(
    changing: TerraformTestApi, tmp_path: Path, client: bigquery.Client
) -> None:
    module = Path(str(changing.terraform.module_dir))
    schema = module / "warehouse" / "schemas" / "traffic.json"
    columns = json.loads(schema.read_text("utf-8"))
    schema.write_text(json.dumps([*columns, {"name": "weather", "type": "STRING", "mode": "NULLABLE"}]), "utf-8")
    names = ", ".join(f"`{column['name']}`" for column in columns)
    client.query(f"INSERT INTO `growing.traffic` ({names}) VALUES ('2025-01-01', 1, 2, 3, 4, 5, 'UA')").result()
    before = client.get_table("growing.traffic")

    assert plan(changing, tmp_path) == {"module.warehouse.google_bigquery_table.traffic": ["update"]}
    state = f"-state={changing.terraform.state_path}"
    code, output = run_terraform(changing, "apply", "-auto-approve", "-input=false", "-no-color", state)

    assert code == 0, output
    assert plan(changing, tmp_path) == {}
    assert client.get_table("growing.traffic").created == before.created
    assert _all(client, "SELECT `date`, `busiest_carrier`, `weather` FROM `growing.traffic`") == [
        (date(2025, 1, 1), "UA", None)
    ]


@terraform("deployment", scope="session", replay=False)
def test_the_export_fills_what_terraform_made(
    deployment: TerraformTestApi, tmp_path: Path, client: bigquery.Client
) -> None:
    assert deployment.outputs
    database = {"FLIGHTS_DATABASE": str(tmp_path / "flights.sqlite3")}
    assert manage("migrate", "--verbosity", "0", **database) == ("", "", 0)
    assert manage("load_flights", "--to", "2025-01-02", **database)[2] == 0

    stdout, stderr, code = manage("smolqwery_extract", "--to", "2025-01-02", **database)

    assert (stderr, code) == ("", 0), stdout
    total = sum(FLIGHTS_OF_TWO_DAYS.values())
    assert _all(client, "SELECT COUNT(*) FROM `flights.departure`") == [(total,)]
    assert _all(client, "SELECT `date`, `departures` FROM `flights.traffic_delta` ORDER BY `date`") == (
        list(FLIGHTS_OF_TWO_DAYS.items())
    )


def _all(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


def _names_types_modes(fields: Any) -> list[Any]:
    return sorted(
        (f["name"], f["type"], f["mode"], _names_types_modes(f.get("fields", ())), str(f.get("precision", "")))
        for f in fields
    )
