"""A project that smolqwery made, taken over by what `python -m codegen --adopt` prints, with nothing made or lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from terraform.roots import REPOSITORY, copy_of_root, planned_changes, run_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.process import Emulator

EXTRACTORS = '''
from dataclasses import dataclass
from datetime import date

from exporter import BaseExtractor, ExtractorType, sq_field


@dataclass
class User:
    """Accounts of the shop."""

    users: int = sq_field(differentiate=True, description="Accounts ever registered.")
    country: str | None = None


class UserExtractor(BaseExtractor[User]):
    def get_extractor_type(self):
        return ExtractorType.date_aggregated

    def extract(self, date_start, date_end):
        raise NotImplementedError


@dataclass
class Email:
    timestamp: date
    type: str


class EmailExtractor(BaseExtractor[Email]):
    def get_extractor_type(self):
        return ExtractorType.individual_rows

    def get_partitioning(self):
        return None

    def extract(self, date_start, date_end):
        raise NotImplementedError
'''
SETTINGS = """
SECRET_KEY = "none"
USE_TZ = True
INSTALLED_APPS = ["exporter"]
SMOLQWERY_EXTRACTORS = ["extractors.UserExtractor", "extractors.EmailExtractor"]
SMOLQWERY_FIRST_DATE = "2025-01-01"
SMOLQWERY_PROJECT = "example-project"
SMOLQWERY_DATASET_LOCATION = "EU"
SMOLQWERY_ACL_GROUPS = ["Data-Team@example.com", "board@example.com"]
"""
NEW = {
    "module.warehouse.google_bigquery_dataset.exporter",
    "module.warehouse.google_bigquery_table.exporter_ledger",
}
TAKEN_OVER = {
    "module.warehouse.google_bigquery_dataset.warehouse",
    'module.warehouse.google_bigquery_dataset_iam_member.acl_groups["board@example.com"]',
    'module.warehouse.google_bigquery_dataset_iam_member.acl_groups["data-team@example.com"]',
    "module.warehouse.google_bigquery_table.email",
    "module.warehouse.google_bigquery_table.user",
    "module.warehouse.google_bigquery_table.user_delta",
}


@pytest.fixture
def client(terraform_emulator: Emulator) -> Iterator[bigquery.Client]:
    client = bigquery.Client(
        project=terraform_emulator.project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": terraform_emulator.rest_url},
    )
    with client:
        yield client


@pytest.fixture
def dataset(client: bigquery.Client) -> Iterator[str]:
    """As smolqwery makes it: the groups alone in its access list, tables without partitions, a view by its own SQL."""
    name = f"d{uuid4().hex[:12]}"
    made = bigquery.Dataset(f"{client.project}.{name}")
    made.location = "EU"
    made.access_entries = [
        bigquery.AccessEntry("WRITER", "groupByEmail", email)
        for email in ("Data-Team@example.com", "board@example.com")
    ]
    client.create_dataset(made, exists_ok=True)
    day = bigquery.SchemaField("date", "DATE", mode="REQUIRED")
    columns = [day, bigquery.SchemaField("users", "INT64", mode="REQUIRED"), bigquery.SchemaField("country", "STRING")]
    client.create_table(bigquery.Table(f"{client.project}.{name}.user", schema=columns))
    columns = [
        bigquery.SchemaField(name, type_, mode="REQUIRED")
        for name, type_ in (("timestamp", "DATE"), ("type", "STRING"))
    ]
    client.create_table(bigquery.Table(f"{client.project}.{name}.email", schema=columns))
    view = bigquery.Table(f"{client.project}.{name}.user_delta")
    view.view_query = f"SELECT `date`, `users` - 1 AS `users` FROM `{client.project}.{name}.user`"
    client.create_table(view)
    client.query(f"INSERT INTO `{name}.user` (`date`, `users`, `country`) VALUES ('2025-01-01', 7, 'FR')").result()
    yield name
    for one in (name, f"{name}_exporter"):
        client.delete_dataset(one, delete_contents=True, not_found_ok=True)


@pytest.fixture
def root(dataset: str, tmp_path: Path) -> Path:
    """terraform/ with the warehouse of a project that comes from smolqwery, and what --adopt prints."""
    root = copy_of_root(tmp_path / "terraform")
    shutil.rmtree(root / "warehouse")
    (tmp_path / "extractors.py").write_text(EXTRACTORS, "utf-8")
    (tmp_path / "shop_settings.py").write_text(f"{SETTINGS}SMOLQWERY_DATASET = '{dataset}'\n", "utf-8")
    render_and_adopt(tmp_path)
    code, output = run_terraform(root, "init", "-input=false")
    assert code == 0, output
    return root


def render_and_adopt(project: Path) -> None:
    codegen(project)
    (project / "terraform" / "import.tf").write_text(codegen(project, "--adopt"), "utf-8")


def codegen(project: Path, *arguments: str) -> str:
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_all_that_smolqwery_made_is_taken_over(root: Path, dataset: str, client: bigquery.Client) -> None:
    made = client.get_table(f"{dataset}.user").created

    changes = planned_changes(root)

    assert {change["address"] for change in changes if "importing" in change["change"]} == TAKEN_OVER
    assert {change["address"] for change in changes if change["change"]["actions"] == ["create"]} == NEW
    assert {change["address"] for change in changes} == TAKEN_OVER | NEW
    code, output = run_terraform(root, "apply", "-input=false", "plan.bin")
    assert code == 0, output
    assert "Resources: 6 imported, 2 added, " in output
    assert " changed, 0 destroyed." in output
    assert {tuple(change["change"]["actions"]) for change in planned_changes(root)} == {("no-op",)}
    assert client.get_table(f"{dataset}.user").created == made
    rows = client.query(f"SELECT `date`, `users` FROM `{dataset}.user_delta`").result()
    assert [row.values() for row in rows] == [(date(2025, 1, 1), 7)]
    assert client.get_table(f"{dataset}.user").description == "Accounts of the shop."


def test_what_is_not_there_is_named_by_the_plan(root: Path, dataset: str, client: bigquery.Client) -> None:
    client.delete_table(f"{dataset}.email")

    code, output = run_terraform(root, "plan", "-input=false")

    assert code == 1
    assert "Cannot import non-existent remote object" in output
    assert '"module.warehouse.google_bigquery_table.email"' in output
    assert output.count("Error: ") == 1


def test_a_table_that_would_have_to_be_made_anew_is_refused(root: Path, dataset: str, client: bigquery.Client) -> None:
    extractors = root.parent / "extractors.py"
    extractors.write_text(EXTRACTORS.replace("return None", 'return "DAY"'), "utf-8")
    shutil.rmtree(root / "warehouse")
    render_and_adopt(root.parent)

    code, output = run_terraform(root, "plan", "-input=false")

    assert "let get_partitioning() of extractors.EmailExtractor return None." in (root / "import.tf").read_text("utf-8")
    assert code == 1
    assert "Resource module.warehouse.google_bigquery_table.email has lifecycle.prevent_destroy set" in output
    assert client.get_table(f"{dataset}.email")
