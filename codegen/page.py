"""The text of a page and the path that a person gave → the file to compare and write, if it is ours."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

from codegen.errors import ForeignFileError, OutputError
from codegen.files import File, write
from codegen.ownership import read

TEMPLATES = {
    ".htm": "dictionary.html",
    ".html": "dictionary.html",
    ".markdown": "dictionary.md",
    ".md": "dictionary.md",
}
"""By suffix."""


def page_path(text: str) -> Path:
    """Of an option. Raises ArgumentTypeError where the suffix says no format."""
    path = Path(text)
    if path.suffix.lower() not in TEMPLATES:
        raise ArgumentTypeError(f"{text!r} ends with neither .md nor .html, which say what to write.")
    return path


def compare_page(path: Path, text: str) -> File:
    """Raises OutputError, or ForeignFileError where codegen did not make the file that is there."""
    if not path.parent.is_dir():
        raise OutputError(
            location=str(path),
            problem=f"{path.parent} is not a directory.",
            remedy="Make it one, or name another file.",
        )
    try:
        found = read(path)
    except OSError as error:
        raise _unusable(path, error.strerror) from error
    made_by = text.partition("\n")[0].encode()
    if found is not None and found.partition(b"\n")[0].rstrip() != made_by:
        raise ForeignFileError(
            location=str(path),
            problem="codegen would write this file and did not make the one that is there.",
            remedy="Move or delete it, or name another file. Nothing was written.",
        )
    return File(path=path.name, found=found, rendered=text.encode())


def write_page(path: Path, page: File) -> None:
    """Raises OutputError."""
    try:
        write(path.parent, [page])
    except OutputError as error:
        raise _unusable(path, error.problem) from error


def _unusable(path: Path, problem: str | None) -> OutputError:
    problem = f"{problem or 'cannot be used'}".rstrip(".")
    return OutputError(location=str(path), problem=f"{problem}.", remedy="Make it writable, or name another file.")
