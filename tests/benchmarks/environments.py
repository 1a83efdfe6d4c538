"""The pinned packages of another tool → a virtual environment that has them, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
ENVIRONMENTS = Path(sys.prefix) / "benchmarks"


def python_of(environment: str, tell: Callable[[str], None]) -> Path:
    """Its interpreter, after what is missing has been installed. Raises CalledProcessError."""
    pinned = REQUIREMENTS / f"benchmark_{environment}.txt"
    directory = ENVIRONMENTS / environment
    python, installed = directory / "bin" / "python", directory / "installed"
    if installed.exists() and installed.read_text("utf-8") == pinned.read_text("utf-8"):
        return python
    packages = sum("==" in line for line in pinned.read_text("utf-8").splitlines())
    tell(f"Installing {packages} packages of tests/requirements/{pinned.name} into {directory}, once.")
    venv.create(directory, clear=True, with_pip=True)
    requirements = ["--no-deps", "-r", str(pinned)]
    # As `make install` does it, and for the same reason.
    uv = [str(Path(sys.prefix) / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(python), *requirements]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    if subprocess.run(uv, check=False).returncode:
        subprocess.run(pip, check=True)
    installed.write_text(pinned.read_text("utf-8"), "utf-8")
    return python
