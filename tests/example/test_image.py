"""The image of the job: no container engine is needed to see what its Dockerfile says, and that it can work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKERFILE = REPOSITORY / "tests" / "example" / "Dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    name: str
    argument: str


def instructions() -> Iterator[Instruction]:
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, argument = line.partition(" ")
        yield Instruction(name=name, argument=argument.strip())


def last_stage() -> list[Instruction]:
    every = list(instructions())
    start = max(position for position, one in enumerate(every) if one.name == "FROM")
    return every[start:]


def only(name: str) -> str:
    (found,) = [one.argument for one in last_stage() if one.name == name]
    return found


def copied() -> list[tuple[str, str]]:
    """From the repository: source and destination, of the last stage."""
    pairs = [one.argument.split() for one in last_stage() if one.name == "COPY" and "--from" not in one.argument]
    return [(source, pair[-1]) for pair in pairs for source in pair[:-1]]


def test_python_is_process_1_and_gets_the_signals() -> None:
    assert json.loads(only("ENTRYPOINT")) == ["python", "manage.py"]
    assert json.loads(only("CMD")) == ["smolqwery_extract"]
    assert "PYTHONUNBUFFERED=1" in only("ENV").split()


def test_the_job_is_not_root_and_cannot_change_its_code() -> None:
    names = [one.name for one in last_stage()]

    uid, gid = only("USER").split(":")
    assert int(uid) > 0
    assert int(gid) > 0
    assert names.index("USER") > max(i for i, name in enumerate(names) if name in {"COPY", "RUN", "WORKDIR"})
    assert not any("--chown" in one.argument or "chmod" in one.argument for one in instructions())


def test_bases_are_slim_and_have_a_version() -> None:
    bases = [one.argument.split()[0] for one in instructions() if one.name == "FROM"]

    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", base) for base in bases)
    assert {one.name for one in instructions()} <= {
        *("CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "RUN", "USER", "WORKDIR")
    }


def test_the_context_holds_what_is_copied_and_little_else() -> None:
    sources = {
        source
        for one in instructions()
        if one.name == "COPY" and "--from" not in one.argument
        for source in one.argument.split()[:-1]
    }
    lines = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == sources
    assert all((REPOSITORY / source).exists() for source in sources)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The directory that the image starts in, with what is copied there from the repository."""
    start = tmp_path / only("WORKDIR").lstrip("/")
    start.mkdir(parents=True)
    for source, destination in copied():
        if (REPOSITORY / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / source, start / destination, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / source, start / destination)
    return start


@pytest.mark.parametrize(
    ("command", "printed"),
    [(["check"], "System check identified no issues (0 silenced).\n"), (["smolqwery_extract", "--version"], None)],
)
def test_what_the_image_holds_is_enough_to_start(image: Path, command: list[str], printed: str | None) -> None:
    _, program = json.loads(only("ENTRYPOINT"))
    environ = dict(setting.split("=", 1) for setting in only("ENV").split()) | {"PATH": os.environ["PATH"]}

    done = subprocess.run(
        [sys.executable, program, *command], cwd=image, env=environ, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert printed in (None, done.stdout)
