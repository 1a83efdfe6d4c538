"""A Terraform command in a directory of its own → its exit code and what it printed, a plan as data."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Ended(NamedTuple):
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terraform:
    directory: Path
    environ: Mapping[str, str]

    def configure(self, configuration: str | Mapping[str, Any], *, suffix: str = ".tf") -> None:
        """As HCL, as JSON where `suffix` says so, or as data, instead of what was there."""
        for path in self.directory.glob("main.tf*"):
            path.unlink()
        if not isinstance(configuration, str):
            configuration, suffix = json.dumps(configuration), ".tf.json"
        (self.directory / f"main{suffix}").write_text(configuration, "utf-8")

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


class MakeTerraform(Protocol):
    def __call__(self, source: Path | None = None, **environ: str) -> Terraform: ...
