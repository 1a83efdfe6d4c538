"""The resource blocks in generated files, as found and as rendered → none goes that nobody has a word about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codegen.errors import OutputError
from codegen.files import State
from codegen.ownership import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from codegen.files import File
    from codegen.introspect import Table, Warehouse

_BLOCK = re.compile(rb'^resource "(google_bigquery_(?:dataset|table)" "\w+)" \{', re.MULTILINE)


def refuse_silent_losses(directory: Path, files: Sequence[File], last: Warehouse | None) -> None:
    """What the record of the last run does not tell, the files do: its manifest can be lost, or be another branch's.

    Without a block in its directory Terraform destroys what is there. Raises OutputError.
    """
    if last is None:
        _refuse_without_manifest(directory, files)
        return
    explained = {("google_bigquery_table", name) for table in last.tables for name in _names(table)}
    rendered = {block for file in files for block in _blocks(file.rendered)}
    for file in files:
        for kind, label in sorted(_blocks(file.found) - rendered - explained):
            raise OutputError(
                location=str(directory / file.path),
                problem=f"has {kind}.{label}, which {MANIFEST} does not know and no extractor makes.",
                remedy=f"Restore the {directory / MANIFEST} that belongs to this file from version control; or delete "
                "the block, if it was never applied. Then run codegen again. Nothing was written.",
            )


def _refuse_without_manifest(directory: Path, files: Sequence[File]) -> None:
    # An interrupted first run leaves files and no manifest, all as they should be.
    different = [file.path for file in files if file.state in (State.changed, State.orphaned)]
    if different:
        path = directory / MANIFEST
        raise OutputError(
            location=str(path),
            problem=f"is missing, and {different[0]} would change. Without it codegen cannot tell what would be lost.",
            remedy=f"Restore it from version control (`git checkout -- {path}`); if nothing in the directory was ever "
            "applied, delete it. Then run codegen again. Nothing was written.",
        )


def _names(table: Table) -> list[str]:
    return [table.name, *([table.delta_view.name] if table.delta_view else [])]


def _blocks(text: bytes | None) -> set[tuple[str, str]]:
    matches = (match.decode().split('" "') for match in _BLOCK.findall(text or b""))
    return {(kind, label) for kind, label in matches}
