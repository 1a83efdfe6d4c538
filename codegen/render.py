"""Warehouse → the text of each generated file, and of what is printed of it. The only module that knows Jinja."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from codegen.ledger import LEDGER_COLUMNS, LEDGER_LABEL
from codegen.ownership import MANIFEST, header
from codegen.prose import markdown, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codegen.adoption import Import
    from codegen.dictionary import Dictionary
    from codegen.introspect import Table, Warehouse
    from exporter.schema import Column

# Not the settings module's name: staging and production have one each and share the files.
_SETTINGS_HEADER = header("the SMOLQWERY_* settings")
_FROM_SETTINGS = ("access.tf", "dataset.tf", "exporter.tf", "groups.tf", "outputs.tf", "variables.tf", "versions.tf")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def render(warehouse: Warehouse) -> dict[str, str]:
    """Path in the output directory → text: the same from the same warehouse, byte for byte."""
    templates = _environment()
    files = {
        name: templates.get_template(f"{name}.j2").render(warehouse=warehouse, settings_header=_SETTINGS_HEADER)
        for name in _FROM_SETTINGS
    }
    table_template = templates.get_template("table.tf.j2")
    for table in warehouse.tables:
        files[_table_path(table.name)] = table_template.render(
            table=table, header=header(table.source), schema=_schema_path(table.name)
        )
    if warehouse.retired:
        files["retired.tf"] = templates.get_template("retired.tf.j2").render(
            tables=warehouse.retired, header=header("the tables that were retired")
        )
    schemas = {table.name: table.columns for table in (*warehouse.tables, *warehouse.retired)}
    schemas[LEDGER_LABEL] = LEDGER_COLUMNS
    files |= {_schema_path(name): _json([_schema(column) for column in columns]) for name, columns in schemas.items()}
    files[MANIFEST] = _json(_manifest(warehouse, sorted(name for name in files if name.endswith(".json"))))
    return dict(sorted(files.items()))


def render_imports(imports: Iterable[Import]) -> str:
    """Terraform for a root module."""
    return _environment().get_template("import.tf.j2").render(imports=imports)


def render_dictionary(template: str, dictionary: Dictionary) -> str:
    """A page, as `dictionary.md` or `dictionary.html`."""
    made_by = _SETTINGS_HEADER.removeprefix("# ")
    return _environment().get_template(f"{template}.j2").render(dictionary=dictionary, made_by=made_by)


def hcl(text: str) -> str:
    """Any text as a quoted HCL string, on one line, in which Terraform interpolates nothing."""
    # What does not print (control characters, a right-to-left override, a zero-width space) is written as its
    # number, so that a reviewer sees it.
    quoted = "".join(_ESCAPES.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text)
    return '"' + quoted.replace("${", "$${").replace("%{", "%%{") + '"'


def _hcl_list(texts: Iterable[str]) -> str:
    return f"[{', '.join(hcl(text) for text in texts)}]"


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=select_autoescape(["html.j2"]),  # in HCL and Markdown, filters escape
        keep_trailing_newline=True,
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"hcl": hcl, "hcl_list": _hcl_list, "markdown": markdown, "visible": visible}
    return environment


def _table_path(name: str) -> str:
    # Terraform takes a file whose name ends with _override for changes to another one.
    stem = f"table_{name}"
    return f"{stem}.table.tf" if stem.endswith("_override") else f"{stem}.tf"


def _schema_path(name: str) -> str:
    return f"schemas/{name}.json"


def _schema(column: Column) -> dict[str, Any]:
    """As BigQuery's API writes it: any other spelling, or a key too many, would be a change at each plan."""
    schema: dict[str, Any] = {"name": column.name, "type": str(column.type), "mode": str(column.mode)}
    if column.description:
        schema["description"] = column.description
    if column.policy_tags:
        schema["policyTags"] = {"names": list(column.policy_tags)}
    if column.precision is not None:
        schema["precision"] = str(column.precision)
    if column.scale:
        schema["scale"] = str(column.scale)
    if column.fields:
        schema["fields"] = [_schema(field) for field in column.fields]
    return schema


def _manifest(warehouse: Warehouse, json_files: list[str]) -> dict[str, Any]:
    return {
        "//": _SETTINGS_HEADER.removeprefix("# "),
        "dataset": warehouse.dataset,
        "location": warehouse.location,
        "tables": {table.name: _layout(table) for table in warehouse.tables},
        "retired_tables": {table.name: _layout(table) for table in warehouse.retired},
        "files": json_files,
    }


def _layout(table: Table) -> dict[str, Any]:
    """What a table's schema cannot say."""
    partitioning, view = table.partitioning, table.delta_view
    return {
        "extractor": table.source,
        "partitioning": partitioning and {"type": partitioning.type, "field": partitioning.field},
        "partition_expiration_ms": partitioning and partitioning.expiration_ms,
        "clustering": list(table.clustering),
        "delta_view": view
        and {
            "name": view.name,
            "date_column": view.date_column,
            "differentiated": [column.name for column in table.columns if column.differentiate],
        },
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
