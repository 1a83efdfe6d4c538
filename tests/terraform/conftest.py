"""Directories to run Terraform in, an emulator for them, and the provider."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_terraform import tf

from emulator.process import Emulator, running_emulator
from terraform.provider import provider_environ
from terraform.runner import Terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terraform.runner import MakeTerraform

REPOSITORY = Path(__file__).resolve().parents[2]
VERSIONS = """terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.45, < 9"
    }
  }
}
"""
_AMBIENT = ("TF_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_")
_IGNORED = shutil.ignore_patterns(".terraform*", "*.tfstate*", "tf_resources.json")


@pytest.fixture(scope="session")
def terraform_emulator() -> Iterator[Emulator]:
    """An emulator of its own: what Terraform makes and destroys is nobody else's."""
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session", autouse=True)
def terraform_modules(terraform_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where pytest-terraform finds its modules, and their environment: copies of terraform/ that may be destroyed.

    `deployment` is applied as it is, `changing` into a dataset of its own by the one test that changes it.
    """
    modules = tmp_path_factory.mktemp("modules")
    for name in ("deployment", "changing"):
        shutil.copytree(REPOSITORY / "terraform", modules / name, ignore=_IGNORED)
        unprotect(modules / name / "warehouse")
    (modules / "changing" / "terraform.tfvars").write_text('dataset_id = "growing"\n', "utf-8")
    environ = {
        **terraform_emulator.environ,
        **provider_environ(),
        "TF_VAR_project": terraform_emulator.project,
        "TF_VAR_deletion_protection": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        patch.setattr(tf.LazyModuleDir, "value", str(modules))
        yield modules
    assert "TF_VAR_project" not in os.environ


@pytest.fixture(scope="session")
def make_terraform(terraform_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> MakeTerraform:
    """An initialized directory, a copy of `source` if it is given; keyword arguments go into its environment."""
    ambient = {name: value for name, value in os.environ.items() if not name.startswith(_AMBIENT)}
    if "TF_CLI_CONFIG_FILE" in os.environ:
        ambient["TF_CLI_CONFIG_FILE"] = os.environ["TF_CLI_CONFIG_FILE"]
    ambient |= {**terraform_emulator.environ, **provider_environ(), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}

    def make(source: Path | None = None, **environ: str) -> Terraform:
        directory = tmp_path_factory.mktemp("terraform")
        if source is None:
            (directory / "versions.tf").write_text(VERSIONS, "utf-8")
        else:
            shutil.copytree(source, directory, ignore=_IGNORED, dirs_exist_ok=True)
        made = Terraform(directory=directory, environ={**ambient, **environ})
        exit_code, output = made.run("init")
        assert exit_code == 0, output
        return made

    return make


@pytest.fixture(scope="module")
def caller(make_terraform: MakeTerraform) -> Terraform:
    """A directory whose configuration can call the module ./export_job."""
    terraform = make_terraform()
    shutil.copytree(REPOSITORY / "terraform" / "export_job", terraform.directory / "export_job", ignore=_IGNORED)
    return terraform


def unprotect(module: Path) -> None:
    """prevent_destroy cannot be a variable; an override file beside the copy takes it away, for the teardown."""
    blocks = [
        f"{line}\n  lifecycle {{\n    prevent_destroy = false\n  }}\n}}\n"
        for path in sorted(module.glob("*.tf"))
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("resource ") and "iam_member" not in line
    ]
    (module / "test_override.tf").write_text("\n".join(blocks), "utf-8")
