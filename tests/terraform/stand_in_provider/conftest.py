"""Terraform in a directory of its own, pointed to the emulator, and what BigQuery's REST API says afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from terraform.provider import provider_environ

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulator.process import Emulator

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


class Ended(NamedTuple):
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terraform:
    directory: Path
    environ: Mapping[str, str]

    def configure(self, configuration: str | Mapping[str, Any]) -> None:
        """As HCL or as JSON, instead of what was there."""
        is_hcl = isinstance(configuration, str)
        for path in self.directory.glob("main.tf*"):
            path.unlink()
        content = configuration if isinstance(configuration, str) else json.dumps(configuration)
        (self.directory / ("main.tf" if is_hcl else "main.tf.json")).write_text(content, "utf-8")

    def run(self, *arguments: str, **environ: str) -> Ended:
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.directory,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        # Terraform wraps its messages at 78 columns.
        return Ended(done.returncode, " ".join(done.stdout.split()))

    def apply(self, configuration: str | Mapping[str, Any]) -> None:
        self.configure(configuration)
        exit_code, output = self.run("apply", "-auto-approve")
        assert exit_code == 0, output

    def plan(self, configuration: str | Mapping[str, Any] | None = None) -> dict[str, list[str]]:
        """Actions by address."""
        if configuration is not None:
            self.configure(configuration)
        exit_code, output = self.run("plan", "-out=plan")
        assert exit_code == 0, output
        changes = self.show("plan")["resource_changes"]
        return {change["address"]: change["change"]["actions"] for change in changes}

    def show(self, *plan: str) -> dict[str, Any]:
        shown = subprocess.run(
            ["terraform", "show", "-json", *plan], cwd=self.directory, env=self.environ, capture_output=True, check=True
        )
        document: dict[str, Any] = json.loads(shown.stdout)
        return document

    def is_up_to_date(self) -> bool:
        exit_code, output = self.run("plan", "-detailed-exitcode")
        assert exit_code in (0, 2), output
        return exit_code == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """BigQuery behind Terraform's back."""

    url: str

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """{} where there is nothing."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request) as response:
                return dict(json.loads(response.read() or b"{}"))
        except HTTPError as error:
            error.close()
            if error.code != 404:
                raise
            return {}

    def access(self, dataset_id: str) -> list[dict[str, Any]]:
        return list(self("GET", f"datasets/{dataset_id}")["access"])

    def columns(self, dataset_id: str, table_id: str) -> list[str]:
        return [field["name"] for field in self("GET", f"datasets/{dataset_id}/tables/{table_id}")["schema"]["fields"]]


class MakeTerraform(Protocol):
    def __call__(self, **environ: str) -> Terraform: ...


@pytest.fixture(scope="session")
def make_terraform(terraform_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> MakeTerraform:
    """An initialized directory; keyword arguments go into its environment."""
    ambient = {name: value for name, value in os.environ.items() if not name.startswith(_AMBIENT)}
    if "TF_CLI_CONFIG_FILE" in os.environ:
        ambient["TF_CLI_CONFIG_FILE"] = os.environ["TF_CLI_CONFIG_FILE"]
    ambient |= {**terraform_emulator.environ, **provider_environ(), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}

    def make(**environ: str) -> Terraform:
        directory = tmp_path_factory.mktemp("terraform")
        (directory / "versions.tf").write_text(VERSIONS, "utf-8")
        made = Terraform(directory=directory, environ={**ambient, **environ})
        exit_code, output = made.run("init")
        assert exit_code == 0, output
        return made

    return make


@pytest.fixture
def terraform(make_terraform: MakeTerraform) -> Terraform:
    return make_terraform()


@pytest.fixture(scope="session")
def rest(terraform_emulator: Emulator) -> Rest:
    return Rest(url=f"{terraform_emulator.rest_url}/bigquery/v2/projects/{terraform_emulator.project}/")
