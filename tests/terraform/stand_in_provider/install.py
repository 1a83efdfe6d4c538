"""`python install.py DIRECTORY` → the stand-in provider there, and a terraform.rc that has Terraform use it: its path.

    TF_CLI_CONFIG_FILE=$(python install.py DIRECTORY) terraform init

Needs only the standard library of Python 3.11 and a package index. Everything is in DIRECTORY; what is there already is
kept, and two runs at once wait for each other.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "7.45.0"  # of hashicorp/google, whose schema and plans it stands in for

_SOURCES = Path(__file__).resolve().parent
_PINS = _SOURCES.parents[1] / "requirements" / "stand_in_provider.txt"
_PACKAGE = "terraform/stand_in_provider"
_UV_OPTIONS = ("--quiet", "--no-deps", "--requirement", str(_PINS))
_PIP_OPTIONS = ("--disable-pip-version-check", *_UV_OPTIONS)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def install(directory: Path) -> Path:
    """The path of terraform.rc, to be used as TF_CLI_CONFIG_FILE."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make_environment(directory / "venv")
        _copy_sources(directory / "source" / _PACKAGE)
        launcher = directory / "mirror" / "registry.terraform.io" / "hashicorp" / "google" / VERSION / _platform()
        _write(launcher / f"terraform-provider-google_v{VERSION}", _launcher(directory), executable=True)
        return _write(directory / "terraform.rc", _configuration(directory / "mirror"))


def _make_environment(environment: Path) -> None:
    # The stamp is written last: an environment whose making was interrupted has none, and is made again.
    stamp = environment / "stamp"
    wanted = hashlib.sha256(_PINS.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return
    shutil.rmtree(environment, ignore_errors=True)
    if not _install_with_uv(environment):
        _run(sys.executable, "-m", "venv", "--clear", environment)
        _run(environment / "bin" / "python", "-m", "pip", "install", *_PIP_OPTIONS)
    stamp.write_text(wanted, "utf-8")


def _install_with_uv(environment: Path) -> bool:
    """Seconds where pip takes many. It may be missing, or not understand the index settings of this machine's pip."""
    here = Path(sys.executable).parent
    uv = shutil.which("uv", path=os.pathsep.join([str(here), os.environ.get("PATH", os.defpath)]))
    if uv is None:
        return False
    python = environment / "bin" / "python"
    try:
        _run(sys.executable, "-m", "venv", "--without-pip", environment)
        _run(uv, "pip", "install", "--compile-bytecode", "--python", python, *_UV_OPTIONS)
    except subprocess.CalledProcessError:
        return False
    return True


def _copy_sources(target: Path) -> None:
    # A copy, so that Python's caches of it are written to DIRECTORY, too, and not into a checkout.
    target.mkdir(parents=True, exist_ok=True)
    for source in [*_SOURCES.glob("*.py"), *_SOURCES.glob("*.json")]:
        if not source.name.startswith("test_"):
            _write(target / source.name, source.read_text("utf-8"))


def _launcher(directory: Path) -> str:
    # -I: neither the caller's PYTHONPATH nor the directory Terraform runs in may lend modules to the provider.
    start = (
        f"import sys; sys.path.insert(0, {str(directory / 'source')!r}); "
        f"from terraform.stand_in_provider.provider import main; main({str(directory)!r})"
    )
    command = shlex.join([str(directory / "venv" / "bin" / "python"), "-I", "-c", start])
    return f"#!/bin/sh\n# Written by {_SOURCES / 'install.py'}\nexec {command}\n"


def _configuration(mirror: Path) -> str:
    # No `direct` beside it: Terraform then has no reason to ask the registry.
    return f"""provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["hashicorp/google"]
  }}
}}
"""


def _platform() -> str:
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{_ARCHITECTURES.get(machine, machine)}"


def _write(path: Path, content: str, *, executable: bool = False) -> Path:
    """Only when different, and in one step: a Terraform may be running from it."""
    if path.exists() and path.read_text("utf-8") == content:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(content, "utf-8")
    new.chmod(0o755 if executable else 0o644)
    return new.replace(path)


def _run(*command: str | Path) -> None:
    # stdout belongs to the one line that the caller reads.
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    sys.stdout.write(f"{install(parser.parse_args().directory)}\n")
