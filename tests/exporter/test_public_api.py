"""What teams may import, and what an import costs them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import exporter

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path.relative_to(REPOSITORY) for name in ("codegen", "exporter") for path in REPOSITORY.glob(f"{name}/**/*.py")
)

HEAVY = (
    "adbc_driver_manager",
    "adbc_driver_postgresql",
    "adbc_driver_sqlite",
    "codegen",
    "google",
    "grpc",
    "jinja2",
    "pyarrow",
    "rich",
)
"""Not loaded by a web server that has `exporter` in INSTALLED_APPS."""

STEPS = f"""
import json, sys

def loaded():
    return sorted({{name for name in sys.modules if name.partition(".")[0] in {HEAVY!r}}})

found = {{}}
import exporter
found["import exporter"] = loaded()
import django
django.setup()
found["django.setup()"] = loaded()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
found["manage.py check"] = loaded()
sys.stderr.write(json.dumps(found))
"""


def test_public_names() -> None:
    assert exporter.__all__ == [
        "BaseExtractor",
        "DayError",
        "ExporterError",
        "ExtractionError",
        "ExtractorType",
        "LedgerError",
        "QuerySetExtractor",
        "RowError",
        "SchemaError",
        "SettingsError",
        "TableError",
        "WarehouseError",
        "WriteError",
        "sq_field",
    ]
    assert all(hasattr(exporter, name) for name in exporter.__all__)


def test_django_starts_without_arrow_and_google() -> None:
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "flights.settings",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests" / "example")]),
    }

    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", STEPS], capture_output=True, text=True, env=environ, check=False
    )

    assert (ended.stdout, ended.returncode) == ("System check identified no issues (0 silenced).\n", 0)
    assert json.loads(ended.stderr) == {"import exporter": [], "django.setup()": [], "manage.py check": []}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name != "__init__.py" or path.parts[1:] == ("__init__.py",)], ids=str
)
def test_module_opens_with_a_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))) or ""

    first, _, rest = docstring.partition("\n")

    assert first.endswith(".")
    assert rest == "" or rest.startswith("\n")


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[0] == "exporter"], ids=str)
def test_exporter_does_not_import_codegen(path: Path) -> None:
    assert [name for name in imported(path) if name.partition(".")[0] in {"codegen", "jinja2"}] == []


def imported(path: Path) -> Iterator[str]:
    """The modules that it names, also inside functions."""
    for node in ast.walk(ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_production_code_does_not_know_of_tests() -> None:
    """Nothing is mocked in it, and it does not ask whether it is under test."""
    suspicious = re.compile(r"\bunittest\b|\bpytest\b|\bmock|\bMock|\boutbox\b", re.IGNORECASE)

    assert [path for path in MODULES if suspicious.search((REPOSITORY / path).read_text("utf-8"))] == []
