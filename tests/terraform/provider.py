"""TERRAFORM_PROVIDER → the environment in which Terraform finds hashicorp/google: our stand-in, or the real one."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

INSTALLER = Path(__file__).parent / "stand_in_provider" / "install.py"


def provider_environ() -> dict[str, str]:
    """What to add to the environment of `terraform`.

    By default the stand-in, installed beside this Python. With TERRAFORM_PROVIDER=registry nothing: Terraform asks
    the registry, or the mirror that TF_CLI_CONFIG_FILE names.
    """
    if os.environ.get("TERRAFORM_PROVIDER") == "registry":
        return {}
    spec = importlib.util.spec_from_file_location("stand_in_provider_install", INSTALLER)
    assert spec is not None
    assert spec.loader is not None
    installer = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = installer
    spec.loader.exec_module(installer)
    return {"TF_CLI_CONFIG_FILE": str(installer.install(Path(sys.prefix) / "stand_in_provider"))}
