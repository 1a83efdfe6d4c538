"""`python -m codegen --adopt`: what it prints. That Terraform takes it, tests/terraform/test_adoption.py shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from codegen.adoption import imports_of
from codegen.introspect import Warehouse
from codegen.render import render_imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RunCommand

QUICKSTART = """\
# What smolqwery made, for Terraform to take over: printed by `python -m codegen --adopt`.
#
# Put it into a file of the root module, see what a plan would import and change, and apply. Then the file can go.
# codegen does not ask BigQuery what is there: where a plan says that an object does not exist, remove its block, and
# Terraform makes it.

import {
  to = module.warehouse.google_bigquery_dataset.warehouse
  id = "projects/example-project/datasets/shop"
}

import {
  to = module.warehouse.google_bigquery_dataset_iam_member.acl_groups["data-team@example.com"]
  id = "projects/example-project/datasets/shop roles/bigquery.dataEditor group:data-team@example.com"
}

# smolqwery made no columns such as timestamp TIMESTAMP: of bool it made INTEGER, of datetime DATE. Where the table has
# other types, Terraform would have to make it anew, and refuses to: give the dataclass of extractors.EmailExtractor
# another name, which makes a new table, and remove this block.
# smolqwery partitioned no table, and BigQuery partitions none later. Where this one is not partitioned, Terraform would
# have to make it anew, and refuses to: let get_partitioning() of extractors.EmailExtractor return None.
import {
  to = module.warehouse.google_bigquery_table.email
  id = "projects/example-project/datasets/shop/tables/email"
}

import {
  to = module.warehouse.google_bigquery_table.user
  id = "projects/example-project/datasets/shop/tables/user"
}

import {
  to = module.warehouse.google_bigquery_table.user_delta
  id = "projects/example-project/datasets/shop/tables/user_delta"
}
"""

INSTANCES = """\
resource "terraform_data" "acl_groups" {
  for_each = toset(jsondecode(file("${path.module}/keys.json")))
}
"""


@pytest.fixture
def shop(use_case: Callable[[str], None], settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_case("quickstart")
    settings.SMOLQWERY_PROJECT = "example-project"
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("shop")
def test_what_smolqwery_made_is_printed_and_nothing_is_written(run_codegen: RunCommand) -> None:
    result = run_codegen("--adopt")

    assert (result.stderr, result.exit_code) == ("", 0)
    assert result.stdout == QUICKSTART
    assert list(Path().iterdir()) == []


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("module", "address"),
    [
        ("module.statistics", "module.statistics.google_bigquery_dataset.warehouse"),
        ("module.data.module.warehouse-2", "module.data.module.warehouse-2.google_bigquery_dataset.warehouse"),
        ("", "google_bigquery_dataset.warehouse"),
    ],
)
def test_the_warehouse_can_be_any_module(run_codegen: RunCommand, module: str, address: str) -> None:
    result = run_codegen("--adopt", "--module", module)

    assert f"  to = {address}\n" in result.stdout
    assert result.exit_code == 0


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("module", ["warehouse", "module.", "module.a b", "module.a.", 'module.w["a"]', "module.w\n"])
def test_what_is_no_module_is_said(run_codegen: RunCommand, module: str) -> None:
    assert run_codegen("--adopt", "--module", module) == (
        "",
        f"--module: {module!r} is not the address of a module.\n  Write it as a plan does, such as module.warehouse.\n",
        2,
    )


@pytest.mark.usefixtures("shop")
def test_a_project_that_nobody_knows_is_said(run_codegen: RunCommand, settings: Any) -> None:
    del settings.SMOLQWERY_PROJECT

    assert run_codegen("--adopt") == (
        "",
        "SMOLQWERY_PROJECT: is not set, and every id of an import names the project.\n"
        "  Set it to the project that smolqwery exported to.\n",
        2,
    )


@pytest.mark.usefixtures("shop")
def test_the_project_of_smolqwery_s_credentials_is_known(run_codegen: RunCommand, settings: Any) -> None:
    del settings.SMOLQWERY_PROJECT
    for key in ("PRIVATE_KEY", "CLIENT_EMAIL", "TOKEN_URI"):
        setattr(settings, f"SMOLQWERY_GOOGLE_{key}", "of no use here")
    settings.SMOLQWERY_GOOGLE_PROJECT_ID = "old-project"

    assert '  id = "projects/old-project/datasets/shop"\n' in run_codegen("--adopt").stdout


def test_terraform_finds_the_instance_of_any_address(tmp_path: Path, run_terraform: Callable[..., str]) -> None:
    """With a resource that Terraform has built in, which takes any id."""
    groups = (
        'a "quote"@example.com',
        "back\\slash@example.com",
        "${x}@example.com",
        "%{x}@example.com",
        "a\n}@x",
        "שלום@x",
    )
    warehouse = Warehouse(dataset="shop", location="EU", acl_groups=groups, reader_groups=groups, tables=())
    grants = [one for one in imports_of(warehouse, "example-project", "module.warehouse") if one.key]
    imports = [replace(one, address="module.warehouse.terraform_data.acl_groups") for one in grants]
    (tmp_path / "import.tf").write_text(render_imports(imports), "utf-8")
    (tmp_path / "main.tf").write_text('module "warehouse" {\n  source = "./warehouse"\n}\n', "utf-8")
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "keys.json").write_text(json.dumps(groups), "utf-8")
    (tmp_path / "warehouse" / "main.tf").write_text(INSTANCES, "utf-8")

    run_terraform(tmp_path, "fmt", "-check", "-recursive")
    run_terraform(tmp_path, "init", "-input=false")
    plan = run_terraform(tmp_path, "plan", "-input=false", "-no-color")

    assert "Plan: 6 to import, 0 to add, 0 to change, 0 to destroy." in plan
