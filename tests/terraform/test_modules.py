"""What holds for every module in terraform/, generated or written by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terraform.runner import MakeTerraform

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
MODULES = sorted({path.parent for path in TERRAFORM.rglob("*.tf") if ".terraform" not in path.parts})
NAMES = [str(module.relative_to(TERRAFORM.parent)) for module in MODULES]
DESCRIPTION = re.compile(r'^  description = ".+[.]"$', re.MULTILINE)
DECLARATION = re.compile(r'^(variable|output) "(\w+)" {\n(.*?)^}$', re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_it_is_valid_by_itself(module: Path, make_terraform: MakeTerraform) -> None:
    assert make_terraform(module).run("validate") == (0, "Success! The configuration is valid.")


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_variables_and_outputs_are_described_and_in_order(module: Path) -> None:
    for file in ("variables.tf", "outputs.tf"):
        declared = DECLARATION.findall((module / file).read_text("utf-8"))
        names = [name for _, name, _ in declared]

        assert names == sorted(names)
        assert [name for _, name, body in declared if not DESCRIPTION.search(body)] == []


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_a_variable_is_null_only_where_that_means_something(module: Path) -> None:
    variables = DECLARATION.findall((module / "variables.tf").read_text("utf-8"))

    for _, name, body in variables:
        not_null = re.search(r"^  nullable += false$", body, re.MULTILINE)
        null_by_default = re.search(r"^  default += null$", body, re.MULTILINE)
        assert bool(not_null) != bool(null_by_default), name


def test_the_root_passes_every_variable_of_the_job_on() -> None:
    variables = (TERRAFORM / "export_job" / "variables.tf").read_text("utf-8")
    main = (TERRAFORM / "main.tf").read_text("utf-8")
    (block,) = re.findall(r'^module "export_job" {\n(.*?)^}$', main, re.MULTILINE | re.DOTALL)
    passed = set(re.findall(r"^  (\w+) +=", block, re.MULTILINE))

    # One project holds all of this deployment.
    assert {name for _, name, _ in DECLARATION.findall(variables)} - {"dataset_project"} == passed - {"source", "count"}
