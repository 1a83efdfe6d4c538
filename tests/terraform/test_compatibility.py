"""What codegen says about changes, held against the plans that Terraform makes of them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from codegen.change import Loss
from codegen.column_changes import column_changes
from codegen.introspect import Table, Warehouse, warehouse_of
from codegen.layout_changes import layout_changes
from codegen.render import render
from exporter.annotations import Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codegen.change import Change
    from emulator.process import Emulator

CASES = Path(__file__).resolve().parents[1] / "codegen" / "compatibility_cases"
ROOT = """\
module "warehouse" {
  source              = "./warehouse"
  dataset_id          = "%s"
  deletion_protection = false
}

variable "project" {
  type = string
}
"""
PROTECTED = "prevent_destroy = true"
REPLACE = ["delete", "create"]


class Deployment:
    """A root with a generated warehouse, of a dataset of its own."""

    def __init__(self, root: Path, dataset: str, *, protected: bool = True) -> None:
        self.root = root
        self.protected = protected
        (root / "warehouse").mkdir(parents=True)
        (root / "main.tf").write_text(ROOT % dataset, "utf-8")

    def render(self, warehouse: Warehouse) -> None:
        shutil.rmtree(self.root / "warehouse")
        for name, text in render(warehouse).items():
            path = self.root / "warehouse" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if self.protected else text.replace(PROTECTED, "prevent_destroy = false"), "utf-8")

    def run(self, *arguments: str) -> tuple[int, str]:
        environ = os.environ | {"TF_IN_AUTOMATION": "1"}
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.root,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def apply(self) -> str:
        for arguments in (("init", "-input=false"), ("apply", "-auto-approve", "-input=false", "-no-color")):
            code, output = self.run(*arguments)
            assert code == 0, output
        return output

    def plan(self) -> dict[str, list[str]]:
        """Actions by the name of what they are about, those that change something."""
        code, output = self.run("plan", "-input=false", "-no-color", "-out=planned")
        assert code == 0, output
        changes = json.loads(self.run("show", "-json", "planned")[1])["resource_changes"]
        return {one["name"]: one["change"]["actions"] for one in changes if one["change"]["actions"] != ["no-op"]}


def test_every_plan_is_what_codegen_says_of_the_case(tmp_path: Path) -> None:
    """All cases at once, each a table: the words of codegen, and the action that Terraform plans."""
    pairs = list(_pairs())
    deployment = Deployment(tmp_path / "root", "agreement", protected=False)
    deployment.render(_warehouse([old for old, _ in pairs]))
    deployment.apply()
    deployment.render(_warehouse([new for _, new in pairs]))

    planned = deployment.plan()

    said = {new.name: _actions(old, new) for old, new in pairs}
    assert len(said) > 100
    assert planned.keys() <= said.keys()
    assert {name: planned.get(name) for name in said if planned.get(name, []) not in said[name]} == {}


def test_a_retired_table_is_forgotten_and_stays_and_can_be_taken_back(
    tmp_path: Path, terraform_emulator: Emulator
) -> None:
    warehouse = _case("retired_is_taken_back/previous")
    user = next(table for table in warehouse.tables if table.name == "user")
    retired = replace(warehouse, tables=tuple({*warehouse.tables} - {user}), retired=(user,))
    printed = (CASES / "retired_is_taken_back" / "expected.txt").read_text("utf-8")
    blocks = re.findall(r"^import \{.*?^\}\n", printed, re.MULTILINE | re.DOTALL)
    deployment = Deployment(tmp_path / "root", "shop")
    deployment.render(warehouse)
    deployment.apply()

    deployment.render(retired)

    assert deployment.plan() == {"user": ["forget"], "user_delta": ["forget"]}
    deployment.apply()
    assert deployment.plan() == {}
    assert {"user", "user_delta"} <= _tables(terraform_emulator, "shop")

    deployment.render(warehouse)
    (deployment.root / "imports.tf").write_text("".join(blocks), "utf-8")

    assert re.search(r"2 imported, 0 added, \d changed, 0 destroyed", deployment.apply())
    assert deployment.plan() == {}


def test_prevent_destroy_fails_the_plan_of_each_replacement_that_codegen_was_made_to_render(tmp_path: Path) -> None:
    replaced = [(old, new) for old, new in _pairs() if _actions(old, new) == [REPLACE]][:5]
    deployment = Deployment(tmp_path / "root", "protection")
    deployment.render(_warehouse([old for old, _ in replaced]))
    deployment.apply()

    deployment.render(_warehouse([new for _, new in replaced]))

    code, output = deployment.run("plan", "-input=false", "-no-color")
    assert code == 1
    words = " ".join(output.replace("│", "").split())
    for table, _ in replaced:
        assert f"google_bigquery_table.{table.name} has lifecycle.prevent_destroy set" in words
    assert len(replaced) == 5


def _case(step: str) -> Warehouse:
    """The warehouse of a step, such as `drop_column/previous`."""
    path = CASES / step / "extractors.py"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CASES))
        spec = importlib.util.spec_from_file_location("extractors_of_a_case", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        extractors = [thing() for name, thing in vars(module).items() if name.endswith("Extractor")]
        settings: Any = SimpleNamespace(dataset="shop", dataset_location="EU", acl_groups=(), reader_groups=())
        return warehouse_of(settings, extractors)


def _pairs() -> Iterator[tuple[Table, Table]]:
    """Each table that a case has before and after, under a name of its own."""
    for case in sorted(path.parent.name for path in CASES.glob("*/current")):
        if not any((CASES / case / name).exists() for name in ("between", "edited", "deleted")):
            after = {table.name: table for table in _case(f"{case}/current").tables}
            for old in _case(f"{case}/previous").tables:
                if old.name in after and Type.BIGNUMERIC not in {column.type for column in old.columns}:
                    before, now = (
                        replace(table, name=f"{old.name}_of_{case}", delta_view=None)
                        for table in (old, after[old.name])
                    )
                    yield before, now


def _warehouse(tables: Sequence[Table]) -> Warehouse:
    return Warehouse(dataset="shop", location="EU", acl_groups=(), reader_groups=(), tables=tuple(tables))


def _actions(old: Table, new: Table) -> list[list[str]]:
    """What Terraform may plan: more than one where the provider is of two minds."""
    changes: list[Change] = [
        *layout_changes(old, new),
        *column_changes(old.columns, new.columns, table="t"),
    ]
    losses = {change.loss for change in changes}
    if Loss.replaced in losses:
        return [REPLACE]
    if Loss.replaced_or_refused in losses:
        return [REPLACE, ["update"]]
    return [["update"] if changes or old.description != new.description else []]


def _tables(emulator: Emulator, dataset: str) -> set[str]:
    client = bigquery.Client(
        project=emulator.project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": emulator.rest_url},
    )
    with client:
        return {item.table_id for item in client.list_tables(dataset)}
