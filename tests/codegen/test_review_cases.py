"""A case is a directory: `plan.json`, and what `python -m codegen.review` makes of it.

`arguments.txt`, if there is one, has a command line argument a line. `expected.md` is the whole report, `ended.txt`
stderr and the exit code.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codegen.review import main
from conftest import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parent / "review_cases"
RENEW = "RENEW_GOLDEN=1 python -m pytest tests/codegen/test_review_cases.py"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_case(case: str, review: Callable[..., Ended]) -> None:
    directory = CASES / case
    arguments = directory / "arguments.txt"

    result = review(directory, *(arguments.read_text("utf-8").splitlines() if arguments.exists() else ()))

    produced = {"expected.md": result.stdout, "ended.txt": f"{result.stderr}exit {result.exit_code}\n"}
    if os.environ.get("RENEW_GOLDEN"):
        for name, text in produced.items():
            (directory / name).write_bytes(text.encode())
    difference = "\n".join(_difference(directory, produced))
    assert not difference, f"{difference}\nIf this is what it should be: {RENEW}"


@pytest.fixture
def review(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    def run(directory: Path, *arguments: str) -> Ended:
        # So that messages name the file as a user would.
        monkeypatch.chdir(directory)
        capfdbinary.readouterr()
        exit_code = main(["plan.json", *arguments])
        stdout, stderr = capfdbinary.readouterr()
        return Ended(stdout.decode(), stderr.decode(), exit_code)

    return run


def _difference(directory: Path, produced: dict[str, str]) -> list[str]:
    lines: list[str] = []
    for name, text in produced.items():
        path = directory / name
        expected = path.read_bytes().decode() if path.exists() else ""
        if expected != text:
            before, after = expected.splitlines(keepends=True), text.splitlines(keepends=True)
            lines += [
                f"{line!r}" for line in difflib.unified_diff(before, after, f"expected {name}", f"produced {name}")
            ]
    return lines
