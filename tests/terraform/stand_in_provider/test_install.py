"""The installer: once, only in its directory, and only what differs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from terraform.provider import INSTALLER, provider_environ

pytestmark = pytest.mark.skipif(
    os.environ.get("TERRAFORM_PROVIDER") == "registry", reason="The real provider is not installed by us."
)


def test_a_second_install_writes_nothing_and_prints_the_path() -> None:
    configuration = Path(provider_environ()["TF_CLI_CONFIG_FILE"])
    before = written(configuration.parent)

    printed = subprocess.run(
        [sys.executable, "-I", INSTALLER, configuration.parent], capture_output=True, check=True, text=True
    )

    assert (printed.stdout, printed.stderr) == (f"{configuration}\n", "")
    assert written(configuration.parent) == before


def written(directory: Path) -> dict[Path, int]:
    own = ("certificate.json", "lock", "__pycache__")  # the provider's, and a lock that is opened to be held
    return {
        path: path.stat().st_mtime_ns
        for path in directory.rglob("*")
        if path.is_file() and not path.is_relative_to(directory / "venv") and not set(own) & set(path.parts)
    }
