"""`python -m codegen` as a process of its own, in a project's root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = """
SECRET_KEY = "none"
USE_TZ = True
INSTALLED_APPS = ["exporter"]
SMOLQWERY_EXTRACTORS = ["extractors.UserExtractor", "extractors.EmailExtractor"]
SMOLQWERY_ACL_GROUPS = ["data-team@example.com"]
SMOLQWERY_DATASET = "shop"
SMOLQWERY_DATASET_LOCATION = "EU"
SMOLQWERY_FIRST_DATE = "2025-01-01"
SMOLQWERY_READER_GROUPS = ["analysts@example.com", "board@example.com"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's root, with the extractors of the quickstart."""
    extractors = Path(__file__).parent / "cases/quickstart/extractors.py"
    (tmp_path / "extractors.py").write_bytes(extractors.read_bytes())
    (tmp_path / "shop_settings.py").write_text(SETTINGS)
    (tmp_path / "terraform").mkdir()
    return tmp_path


def test_the_bytes_are_the_same_under_any_hash_seed(project: Path) -> None:
    processes = [_start(project, "--output", f"terraform/{seed}", seed=seed) for seed in ("0", "1", "random")]

    assert [_finish(process)[2] for process in processes] == [0, 0, 0]
    expected = _contents(Path(__file__).parent / "cases/quickstart/expected")
    for seed in ("0", "1", "random"):
        assert _contents(project / "terraform" / seed) == expected


def test_the_current_directory_is_importable_on_a_safe_path_too(project: Path) -> None:
    assert _finish(_start(project, safe_path="1"))[1:] == ("", 0)


NOT_SET = """\
DJANGO_SETTINGS_MODULE: is not set.
  Name the settings: DJANGO_SETTINGS_MODULE=shop.settings python -m codegen
"""
NOT_FOUND = """\
DJANGO_SETTINGS_MODULE=nowhere.settings: Django does not start: ModuleNotFoundError: No module named 'nowhere'.
  Run codegen where manage.py is, in the project's environment; `manage.py check` shows more.
"""
BROKEN = """\
DJANGO_SETTINGS_MODULE=broken_settings: Django does not start: KeyError: 'SHOP_SECRET'.
  Run codegen where manage.py is, in the project's environment; `manage.py check` shows more.
"""


@pytest.mark.parametrize(
    ("module", "message"), [("", NOT_SET), ("nowhere.settings", NOT_FOUND), ("broken_settings", BROKEN)]
)
def test_settings_that_cannot_be_had_are_said(project: Path, module: str, message: str) -> None:
    (project / "broken_settings.py").write_text("import os\nSECRET_KEY = os.environ['SHOP_SECRET']\n")

    assert _finish(_start(project, module=module)) == ("", message, 2)


def test_an_empty_output_is_a_usage_error(project: Path) -> None:
    """Of `--output $DIR` without a DIR: never the directory of manage.py."""
    before = _contents(project)

    stdout, stderr, exit_code = _finish(_start(project, "--output", ""))

    assert stderr.endswith("error: argument --output: it is empty; the current directory is `.`\n")
    assert (stdout, exit_code) == ("", 2)
    assert _contents(project) == before


def test_an_unknown_option_is_a_usage_error(project: Path) -> None:
    stdout, stderr, exit_code = _finish(_start(project, "--chek"))

    assert stderr == (
        "usage: python -m codegen [-h] [--output DIR] [--check]\n"
        "                         [--allow-breaking TABLE] [--retire TABLE]\n"
        "                         [--forget TABLE] [--adopt | --dictionary FILE]\n"
        "                         [--module ADDRESS]\n"
        "python -m codegen: error: unrecognized arguments: --chek\n"
    )
    assert (stdout, exit_code) == ("", 2)


def test_the_exporter_loads_neither_codegen_nor_jinja() -> None:
    """In a project with the app, its checks and its commands."""
    program = (
        "import importlib, pathlib, pkgutil, sys, django; django.setup(); import exporter\n"
        "for module in pkgutil.walk_packages(exporter.__path__, 'exporter.'): importlib.import_module(module.name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'codegen', 'jinja2'}))\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        cwd=REPOSITORY,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "flights.settings", "PYTHONPATH": "tests/example"},
        text=True,
    )

    assert result.stdout == "\n"


def _start(
    project: Path, *arguments: str, module: str = "shop_settings", seed: str = "0", safe_path: str = ""
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "codegen", *arguments],
        cwd=project,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": module,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONSAFEPATH": safe_path,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    stdout, stderr = process.communicate(timeout=60)
    return stdout, stderr, process.returncode


def _contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}
