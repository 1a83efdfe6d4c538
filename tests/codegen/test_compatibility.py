"""A case is a directory: a warehouse that was, one that is to be, and what codegen says about the change.

`previous/` and `current/`, and `between/` where two steps led to what was, each have an `extractors.py`, and `options`
with which codegen is run. Of what is in `edited/` the generated directory gets a copy before the last run, and
`deleted` lists what it loses. `expected.txt` is the exit code, the stdout and the stderr of that last run.
"""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ended, RunCommand

CASES = Path(__file__).parent / "compatibility_cases"
RENEW = "RENEW_GOLDEN=1 python -m pytest tests/codegen/test_compatibility.py"
WAREHOUSE = Path("terraform/warehouse")


@pytest.fixture
def run_step(
    use_case: Callable[[str | Path], None],
    run_codegen: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., Ended]:
    """codegen as a step of a case runs it, in the root of a project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    monkeypatch.syspath_prepend(str(CASES))
    WAREHOUSE.parent.mkdir()

    def run(step: Path, *options: str) -> Ended:
        use_case(step)
        return run_codegen(*options)

    return run


@pytest.mark.parametrize("case", sorted(path.parent.name for path in CASES.glob("*/current")))
def test_case(case: str, run_step: Callable[..., Ended]) -> None:
    _prepare(CASES / case, run_step)
    current = CASES / case / "current"
    before = _contents(WAREHOUSE)

    check = run_step(current, *_options(current), "--check")
    unchecked = _contents(WAREHOUSE)
    run = run_step(current, *_options(current))

    produced = f"exit {run.exit_code}\n--- stdout\n{run.stdout}--- stderr\n{run.stderr}"
    if os.environ.get("RENEW_GOLDEN"):
        (CASES / case / "expected.txt").write_text(produced, encoding="utf-8")
    expected = (CASES / case / "expected.txt").read_text(encoding="utf-8")
    difference = "\n".join(difflib.unified_diff(expected.splitlines(), produced.splitlines(), lineterm=""))
    assert not difference, f"{difference}\nIf this is what it should be: {RENEW}"
    assert unchecked == before
    if run.exit_code:
        assert check == run
        assert _contents(WAREHOUSE) == before
    else:
        assert check.exit_code == (_contents(WAREHOUSE) != before)
        assert run_step(current, "--check") == ("", "", 0)


def _prepare(case: Path, run_step: Callable[..., Ended]) -> None:
    for step in (case / "previous", case / "between"):
        if step.exists():
            ended = run_step(step, *_options(step))
            assert (ended.stderr, ended.exit_code) == ("", 0)
    if (case / "edited").exists():
        shutil.copytree(case / "edited", WAREHOUSE, dirs_exist_ok=True)
    if (case / "deleted").exists():
        for name in (case / "deleted").read_text(encoding="utf-8").splitlines():
            (WAREHOUSE / name).unlink()


def _options(step: Path) -> list[str]:
    path = step / "options"
    return shlex.split(path.read_text(encoding="utf-8")) if path.exists() else []


def _contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}
