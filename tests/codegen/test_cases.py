"""A case is a directory: `extractors.py`, and what codegen makes of it.

`expected/` is the whole output directory, byte for byte; or `stderr.txt` is what it says instead, and its exit code.
"""

from __future__ import annotations

import difflib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import RunCommand

CASES = Path(__file__).parent / "cases"
RENEW = "RENEW_GOLDEN=1 python -m pytest tests/codegen/test_cases.py"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_case(case: str, use_case: Callable[[str], None], run_codegen: RunCommand, tmp_path: Path) -> None:
    use_case(case)

    result = run_codegen("--output", str(tmp_path / "warehouse"))

    produced = _files(tmp_path / "warehouse")
    if not produced:
        produced = {"../stderr.txt": f"{result.stderr}exit {result.exit_code}\n".encode()}
    if os.environ.get("RENEW_GOLDEN"):
        _renew(CASES / case, produced)
    difference = _difference(_expected(CASES / case), produced)
    assert not difference, f"{difference}\nIf this is what it should be: {RENEW}"


def _files(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def _expected(case: Path) -> dict[str, bytes]:
    stderr = case / "stderr.txt"
    return {"../stderr.txt": stderr.read_bytes()} if stderr.exists() else _files(case / "expected")


def _renew(case: Path, produced: dict[str, bytes]) -> None:
    shutil.rmtree(case / "expected", ignore_errors=True)
    (case / "stderr.txt").unlink(missing_ok=True)
    for name, content in produced.items():
        path = Path(os.path.normpath(case / "expected" / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _difference(expected: dict[str, bytes], produced: dict[str, bytes]) -> str:
    lines: list[str] = []
    for name in sorted({*expected, *produced}):
        before, after = (files.get(name, b"").decode().splitlines() for files in (expected, produced))
        lines += difflib.unified_diff(before, after, f"expected {name}", f"produced {name}", lineterm="")
    return "\n".join(lines) or ("" if expected == produced else "other line ends")
