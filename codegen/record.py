"""The manifest and the schemas in a directory → the warehouse that the last run rendered there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codegen.files import check_directory, unusable
from codegen.introspect import DeltaView, Partitioning, Table, Warehouse
from codegen.ledger import LEDGER_LABEL
from codegen.ownership import MANIFEST, manifest_of, read
from codegen.schema_file import columns_in, edited, missing, shown
from exporter.names import delta_view_name, table_name_problem
from exporter.tables import PARTITIONINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exporter.schema import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that rows depend on: without groups, and without the descriptions of tables."""

    warehouse: Warehouse
    ledger: tuple[Column, ...]


def read_record(directory: Path) -> Record | None:
    """None: no run has left its manifest there. Raises OutputError where it is there and cannot be relied upon."""
    try:
        check_directory(directory)
        manifest = manifest_of(directory)
        return None if manifest is None else _record(directory, manifest)
    except OSError as error:
        raise unusable(Path(error.filename), error) from error


def _record(directory: Path, manifest: Mapping[str, Any]) -> Record:
    _check(directory / MANIFEST, manifest, _MANIFEST)
    return Record(
        warehouse=Warehouse(
            dataset=manifest["dataset"],
            location=manifest["location"],
            acl_groups=(),
            reader_groups=(),
            tables=_tables(directory, manifest["tables"], "table"),
            # An empty list, before there was a way to retire a table.
            retired=_tables(directory, manifest["retired_tables"] or {}, "retired table"),
        ),
        ledger=_columns(directory, LEDGER_LABEL),
    )


def _tables(directory: Path, layouts: Mapping[str, Any], kind: str) -> tuple[Table, ...]:
    return tuple(_table(directory, name, layout, f"{kind} {name}") for name, layout in sorted(layouts.items()))


def _table(directory: Path, name: str, layout: object, where: str) -> Table:
    path = directory / MANIFEST
    # Before the name is part of a path.
    if table_name_problem(name):
        raise edited(path, f"has a table {shown(name)}")
    if not isinstance(layout, dict):
        raise edited(path, f"is {shown(layout)}", where=where)
    if "delta_view" not in layout:
        layout = layout | {"delta_view": _rendered_view(directory, name)}
    _check(path, layout, _LAYOUT, where=where)
    partitioning, view = layout["partitioning"], layout["delta_view"]
    differentiated = view["differentiated"] if view else ()
    return Table(
        name=name,
        source=layout["extractor"],
        description="",
        columns=tuple(
            replace(column, differentiate=column.name in differentiated) for column in _columns(directory, name)
        ),
        partitioning=partitioning and Partitioning(**partitioning, expiration_ms=layout["partition_expiration_ms"]),
        clustering=tuple(layout["clustering"]),
        delta_view=view and DeltaView(name=view["name"], date_column=view["date_column"]),
    )


def _rendered_view(directory: Path, table: str) -> dict[str, Any] | None:
    """Of a manifest that did not name views yet: what the table's own file says."""
    text = (read(directory / f"table_{table}.tf") or b"").decode(errors="replace")
    differentiated = re.findall(r"OVER previous_days, 0\) AS `(\w+)`", text)
    date_columns = re.findall(r"WINDOW previous_days AS \(ORDER BY `(\w+)`", text)
    if not (differentiated and date_columns):
        return None
    return {"name": delta_view_name(table), "date_column": date_columns[0], "differentiated": differentiated}


def _columns(directory: Path, table: str) -> tuple[Column, ...]:
    path = directory / "schemas" / f"{table}.json"
    text = read(path)
    if text is None:
        raise missing(path)
    try:
        return columns_in(path, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise edited(path, f"is not JSON: {error}") from error


def _check(path: Path, content: Mapping[str, Any], legal: Mapping[str, Callable[[Any], bool]], where: str = "") -> None:
    for key in (*content, *legal):
        if key not in legal:
            raise edited(path, f"has {shown(key)}", where=where)
        if key not in content:
            raise edited(path, f"has no {shown(key)}", where=where)
        if not legal[key](content[key]):
            raise edited(path, f"its {key} is {shown(content[key])}", where=where)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_partitioning(value: Any) -> bool:
    if value is None:
        return True
    fits = isinstance(value, dict) and value.keys() == {"type", "field"}
    return fits and value["type"] in PARTITIONINGS and _is_text(value["field"])


def _is_expiration(value: object) -> bool:
    return value is None or (type(value) is int and value > 0)


def _is_view(value: Any) -> bool:
    if value is None:
        return True
    fits = isinstance(value, dict) and value.keys() == {"name", "date_column", "differentiated"}
    return fits and _is_text(value["name"]) and _is_text(value["date_column"]) and _is_texts(value["differentiated"])


_MANIFEST: Mapping[str, Callable[[Any], bool]] = {
    "//": _is_text,
    "dataset": _is_text,
    "location": _is_text,
    "tables": lambda value: isinstance(value, dict),
    "retired_tables": lambda value: isinstance(value, dict) or value == [],
    "files": lambda value: isinstance(value, list),
}
_LAYOUT: Mapping[str, Callable[[Any], bool]] = {
    "extractor": _is_text,
    "partitioning": _is_partitioning,
    "partition_expiration_ms": _is_expiration,
    "clustering": _is_texts,
    "delta_view": _is_view,
}
