"""`make plan` and `make apply`, as a pipeline runs them: on a team's own project and root, against the emulator."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pytest

from terraform.roots import REPOSITORY, copy_of_root

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
from flights.settings import *

SMOLQWERY_DATASET = "{dataset}"
SMOLQWERY_TERRAFORM_DIR = "{directory}"
"""


class Ended(NamedTuple):
    stdout: str
    stderr: str
    exit_code: int


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Django settings, and a root with the warehouse that they render."""
    copy_of_root(tmp_path / "terraform")
    settings = SETTINGS.format(dataset=f"d{uuid4().hex[:12]}", directory=tmp_path / "terraform" / "warehouse")
    (tmp_path / "team_settings.py").write_text(settings, "utf-8")
    assert make(tmp_path, "codegen").exit_code == 0
    return tmp_path


def make(project: Path, *arguments: str) -> Ended:
    """Also when `make test` runs this, which passes its own variables on."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    variables = {
        "PLAN": project / ".plan",
        "PROJECT": f"{REPOSITORY / 'tests' / 'example'}:{project}",
        "ROOT": project / "terraform",
        "SETTINGS": "team_settings",
    }
    done = subprocess.run(
        ["make", *arguments, *(f"{name}={value}" for name, value in variables.items())],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.stdout, done.stderr, done.returncode)


def test_a_plan_prints_the_review_and_nothing_else(project: Path) -> None:
    stdout, stderr, exit_code = make(project, "plan")

    assert exit_code == 0, stderr
    assert stdout.startswith("**")
    assert "departure" in stdout
    assert "Terraform will perform the following actions" not in stdout
    assert "Terraform will perform the following actions" in stderr
    assert (project / ".plan" / "plan.bin").exists()


def test_what_is_applied_is_no_longer_planned(project: Path) -> None:
    assert make(project, "apply").exit_code == 0

    stdout, stderr, exit_code = make(project, "plan")

    assert (exit_code, "departure" in stdout) == (0, False), stderr
    assert "No changes. Your infrastructure matches the configuration." in stderr


@pytest.mark.parametrize("target", ["plan", "apply"])
def test_generated_files_that_are_out_of_date_are_not_planned(project: Path, target: str) -> None:
    (project / "terraform" / "warehouse" / "table_departure.tf").unlink()

    stdout, stderr, exit_code = make(project, target)

    assert (stdout, exit_code) == ("", 2)
    assert "missing    " in stderr
    assert "table_departure.tf" in stderr
    assert list((project / ".plan").iterdir()) == []


def test_a_bucket_for_the_state_is_the_root_s_backend(project: Path) -> None:
    _, stderr, exit_code = make(project, "plan", "STATE_BUCKET=", "ALLOW=")
    assert (exit_code, (project / "terraform" / "backend_override.tf").exists()) == (0, False), stderr

    shown = make(project, "--dry-run", "plan", "STATE_BUCKET=shop-state", "ALLOW=module.a module.b").stdout

    assert "backend_override.tf" in shown
    assert "init -input=false -backend-config=bucket=shop-state" in shown
    assert "-m codegen.review --allow module.a --allow module.b " in shown
