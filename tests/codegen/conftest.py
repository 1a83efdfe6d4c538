"""codegen in the tests' own process, with the settings of a small shop; Hypothesis without a clock or a memory."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.conf import settings as django_settings

from codegen.__main__ import main
from conftest import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import RunCommand

# The machine may be busy, and a test that failed once must fail for everybody.
hypothesis.settings.register_profile("codegen", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("codegen")

CASES = Path(__file__).parent / "cases"
COMPATIBILITY_CASES = Path(__file__).parent / "compatibility_cases"
SHOP = {
    "SMOLQWERY_ACL_GROUPS": ["data-team@example.com"],
    "SMOLQWERY_DATASET": "shop",
    "SMOLQWERY_DATASET_LOCATION": "EU",
    "SMOLQWERY_FIRST_DATE": "2025-01-01",
    "SMOLQWERY_READER_GROUPS": ["analysts@example.com", "board@example.com"],
}


@pytest.fixture
def use_case(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Callable[[str | Path], None]]:
    """Make a case's `extractors` importable, and its module's SMOLQWERY_* the settings that differ from the shop's.

    A case is a name in `cases`, or a path.
    """

    def use(case: str | Path) -> None:
        _forget_cases()
        monkeypatch.syspath_prepend(str(CASES / case))
        module = vars(importlib.import_module("extractors"))
        for name in dir(django_settings):
            if name.startswith("SMOLQWERY_"):
                delattr(settings, name)
        names = [name for name in module if name.endswith("Extractor") and name != "BaseExtractor"]
        all_of_them = {"SMOLQWERY_EXTRACTORS": [f"extractors.{name}" for name in names]}
        own = {name: value for name, value in module.items() if name.startswith("SMOLQWERY_")}
        for name, value in (SHOP | all_of_them | own).items():
            setattr(settings, name, value)

    yield use
    _forget_cases()


def _forget_cases() -> None:
    of_cases = (str(CASES), str(COMPATIBILITY_CASES))
    for name in [
        name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(of_cases)
    ]:
        del sys.modules[name]


@pytest.fixture
def run_terraform() -> Callable[..., str]:
    """Terraform without providers: nothing of the machine's configuration is needed, nor the network."""

    def run(directory: Path, *arguments: str) -> str:
        environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        result = subprocess.run(
            ["terraform", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.fixture
def run_codegen(capsys: pytest.CaptureFixture[str]) -> RunCommand:
    def run(*argv: str) -> Ended:
        capsys.readouterr()
        exit_code = main(argv)
        return Ended(*capsys.readouterr(), exit_code)

    return run
