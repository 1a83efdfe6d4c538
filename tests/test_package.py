"""What is shipped, and what the repository's top level holds."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
TOP_LEVEL = {"Makefile", "README.md", "codegen", "exporter", "pyproject.toml", "terraform", "tests"}


def test_the_wheel_ships_exporter_and_codegen_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for package in ("codegen", "exporter", "tests"):
        shutil.copytree(
            REPOSITORY / package, source / package, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3*")
        )
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, source / name)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=source, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    packaged = {
        str(path.relative_to(REPOSITORY)) for name in ("codegen", "exporter") for path in _shipped(REPOSITORY / name)
    }
    assert {name for name in names if ".dist-info/" not in name} == packaged
    assert "exporter/py.typed" in names
    assert "codegen/templates/table.tf.j2" in names


def test_the_top_level_is_the_agreed_one() -> None:
    listed = subprocess.run(["git", "ls-tree", "--name-only", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)  # noqa: PLW1510 - not a repository where the sources were unpacked

    if listed.returncode == 0:
        assert {name for name in listed.stdout.split() if not name.startswith(".")} == TOP_LEVEL


def _shipped(package: Path) -> list[Path]:
    return [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
