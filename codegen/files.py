"""The texts of the generated files and a directory → what differs, and how to make it the same."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.errors import ForeignFileError, OutputError
from codegen.ownership import MANIFEST, generated_files, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class State(StrEnum):
    """A file on disk, compared with what codegen renders."""

    unchanged = "unchanged"
    missing = "missing"
    changed = "changed"
    orphaned = "orphaned"
    """Generated once, rendered no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A path in the output directory: its bytes there and its bytes as rendered, None where there is no such file."""

    path: str
    found: bytes | None
    rendered: bytes | None

    @property
    def state(self) -> State:
        if self.rendered is None:
            return State.orphaned
        if self.found is None:
            return State.missing
        return State.unchanged if self.found == self.rendered else State.changed

    def diff(self) -> list[str]:
        """From found to rendered, as in `diff -u`, without the lines that name the files."""
        before, after = (
            (content or b"").decode(errors="backslashreplace").split("\n") for content in (self.found, self.rendered)
        )
        return list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]


def compare(directory: Path, texts: Mapping[str, str]) -> list[File]:
    """Every generated file that is rendered or on disk, by path.

    Raises OutputError, or an ExceptionGroup with a ForeignFileError for each file that is not codegen's.
    """
    try:
        check_directory(directory)
        ours = generated_files(directory)
        found = {path: read(directory / path) for path in sorted({*texts, *ours})}
    except OSError as error:
        raise unusable(Path(error.filename), error) from error
    files = [
        File(path=path, found=content, rendered=texts[path].encode() if path in texts else None)
        for path, content in found.items()
    ]
    foreign = [
        ForeignFileError(
            location=str(directory / file.path),
            problem="codegen would write this file and did not make the one that is there.",
            remedy="Move or delete it, or choose another directory; then run codegen again. Nothing was written.",
        )
        for file in files
        if file.state is State.changed and file.path not in ours
    ]
    if foreign:
        raise ExceptionGroup("files that codegen did not make", foreign)
    return files


def write(directory: Path, files: Sequence[File]) -> None:
    """Make the directory what was rendered. No file is replaced before the new ones are all on the disk.

    Raises OutputError.
    """
    different = [file for file in files if file.state is not State.unchanged]
    # Beside its goal, so that the replacement is one rename; with a dot, so that Terraform does not read it.
    staged = {
        file.path: (directory / file.path).with_name(f".{Path(file.path).name}.{os.getpid()}") for file in different
    }
    try:
        _tidy_up(directory / file.path for file in files)
        for file in different:
            if file.rendered is not None:
                staged[file.path].parent.mkdir(parents=True, exist_ok=True)
                staged[file.path].write_bytes(file.rendered)
        # The manifest last: until then it lists what the run after an interrupted one has to tidy up.
        for file in sorted(different, key=lambda file: file.path == MANIFEST):
            if file.rendered is None:
                (directory / file.path).unlink()
            else:
                staged[file.path].replace(directory / file.path)
    except OSError as error:
        raise unusable(directory, error) from error
    finally:
        for path in staged.values():
            with suppress(OSError):
                path.unlink()


def _tidy_up(goals: Iterable[Path]) -> None:
    """Remove what runs that were killed have left staged."""
    for goal in goals:
        for path in goal.parent.glob(f".{escape(goal.name)}.*"):
            pid = path.suffix.removeprefix(".")
            # In containers one number may come again and again.
            if pid.isdecimal() and (int(pid) == os.getpid() or not _is_running(int(pid))):
                path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        return True  # there, the same call would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def check_directory(directory: Path) -> None:
    """Raises OutputError where codegen could not write."""
    # Codegen makes one directory, not a path: so a mistyped one, or a wrong current directory, shows.
    needed = directory if directory.exists() else directory.parent
    if not needed.is_dir():
        raise OutputError(
            location=str(directory),
            problem=f"{needed.absolute()} is not a directory.",
            remedy="Make it one, or name another directory with --output or SMOLQWERY_TERRAFORM_DIR.",
        )


def unusable(path: Path, error: OSError) -> OutputError:
    """What the operating system refuses, in our words."""
    return OutputError(
        location=str(path),
        problem=f"{error.strerror}.",
        remedy="Make it readable and writable, or name another directory with --output or SMOLQWERY_TERRAFORM_DIR.",
    )
