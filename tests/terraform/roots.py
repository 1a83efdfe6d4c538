"""Copies of terraform/ in directories of their own, and Terraform run in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
_NOT_COPIED = shutil.ignore_patterns(".terraform*", "*.tfstate*", "tf_resources.json")


def copy_of_root(destination: Path) -> Path:
    shutil.copytree(REPOSITORY / "terraform", destination, ignore=_NOT_COPIED)
    return destination


def run_terraform(root: Path, *arguments: str) -> tuple[int, str]:
    """Exit code, and the output on one line: Terraform wraps its messages."""
    done = subprocess.run(
        ["terraform", *arguments, "-no-color"],
        cwd=root,
        env=os.environ | {"TF_IN_AUTOMATION": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, " ".join(done.stdout.replace("│", "").split())


def planned_changes(root: Path, *arguments: str) -> list[dict[str, Any]]:
    """Each resource that the plan knows, changed or not."""
    code, output = run_terraform(root, "plan", "-input=false", "-out=plan.bin", *arguments)
    assert code == 0, output
    shown = subprocess.run(["terraform", "show", "-json", "plan.bin"], cwd=root, capture_output=True, check=True)
    changes: list[dict[str, Any]] = json.loads(shown.stdout)["resource_changes"]
    return changes
