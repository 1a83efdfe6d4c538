"""`make plan` and `make apply`, as a pipeline runs them: on a team's own project and root, against the emulator."""

from __future__ import annotations

import os
import shutil
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
    shutil.rmtree(copy_of_root(tmp_path / "terraform") / "warehouse")  # of another dataset
    settings = SETTINGS.format(dataset=f"d{uuid4().hex[:12]}", directory=tmp_path / "terraform" / "warehouse")
    (tmp_path / "team_settings.py").write_text(settings, "utf-8")
    assert make(tmp_path, "codegen").exit_code == 0
    return tmp_path


def make(project: Path, *arguments: str, **environ: str) -> Ended:
    """Also when `make test` runs this, which passes its own variables on."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    variables = {
        "PLAN": project / ".plan",
        "PROJECT": f"{REPOSITORY / 'tests' / 'example'}:{project}",
        "ROOT": project / "terraform",
        "SETTINGS": "team_settings",
    }
    done = subprocess.run(
        ["make", *arguments, *(f"{name}={value}" for name, value in variables.items())],
        cwd=REPOSITORY,
        env=inherited | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.stdout, done.stderr, done.returncode)


def test_a_pull_request_is_reviewed_applied_and_reviewed_again(project: Path) -> None:
    stale = project / "terraform" / "state_bucket_override.tf"  # of a run that named a bucket
    stale.write_text('terraform {\n  backend "gcs" {}\n}\n', "utf-8")

    new = make(project, "plan")

    assert new.exit_code == 0, new.stderr
    assert new.stdout.startswith("**")
    assert "departure" in new.stdout
    assert "Terraform will perform the following actions" not in new.stdout
    assert "Terraform will perform the following actions" in new.stderr
    assert not stale.exists()

    assert make(project, "apply").exit_code == 0
    same = make(project, "plan")

    assert (same.exit_code, "departure" in same.stdout) == (0, False), same.stderr
    assert "found no differences, so no changes are needed." in same.stderr

    moved = make(project, "plan", TF_VAR_location="US")  # which would make the datasets anew

    assert moved.stdout.startswith("**Stop")
    assert "lifecycle.prevent_destroy set" in moved.stderr
    assert moved.exit_code == 2


@pytest.mark.parametrize("target", ["plan", "apply"])
def test_generated_files_that_are_out_of_date_are_not_planned(project: Path, target: str) -> None:
    (project / "terraform" / "warehouse" / "table_departure.tf").unlink()

    stdout, stderr, exit_code = make(project, target)

    assert (stdout, exit_code) == ("", 2)
    assert "missing    " in stderr
    assert "table_departure.tf" in stderr
    assert list((project / ".plan").iterdir()) == []


def test_a_bucket_for_the_state_becomes_the_root_s_backend(tmp_path: Path) -> None:
    shown = make(tmp_path, "--dry-run", "plan", "STATE_BUCKET=shop-state").stdout

    override = tmp_path / "terraform" / "state_bucket_override.tf"
    assert f"printf 'terraform {{\\n  backend \"gcs\" {{}}\\n}}\\n' > {override};" in shown
    assert "init -input=false -backend-config=bucket=shop-state >&2" in shown


def test_what_is_intended_is_said_to_the_review(tmp_path: Path) -> None:
    shown = make(tmp_path, "--dry-run", "plan", 'ALLOW=module.a module.b["shop@example.com"]').stdout

    options = """--allow 'module.a' --allow 'module.b["shop@example.com"]'"""
    assert f"-m codegen.review {options} {tmp_path}/.plan/plan.json\n" in shown
