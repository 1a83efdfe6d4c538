"""Names of columns, tables and datasets → accepted, or the reason why BigQuery or Terraform would refuse them."""

from __future__ import annotations

import re

# https://cloud.google.com/bigquery/docs/schemas#column_names
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
_RESERVED_COLUMN_PREFIXES = (
    "_table_",
    "_file_",
    "_partition",
    "_row_timestamp",
    "__root__",
    "_colidentifier",
    "_change_sequence_number",
    "_change_type",
    "_change_timestamp",
)

# BigQuery takes more (dashes, spaces, any letter); a Terraform label and a file name do not.
# The suffix of a delta view must still fit into 1,024 bytes, and a generated file's name into 255.
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1000}")

# Labels that codegen gives to tables of its own.
_RESERVED_TABLES = frozenset({"exporter_ledger"})

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def snake_case(class_name: str) -> str:
    """`HTTPRequest2` → `http_request_2`: digits are a word, as in smolqwery, so that tables keep their names."""
    return "_".join(word.lower() for word in _WORDS.findall(class_name))


def delta_view_name(table_name: str) -> str:
    """The view that differentiates `table_name`, as smolqwery names it."""
    return f"{table_name}_delta"


def column_name_problem(name: object) -> str | None:
    if not isinstance(name, str) or not _COLUMN.fullmatch(name):
        return f"{name!r} is not a column name. BigQuery takes ASCII letters, digits and _, at most 300, no digit first"
    for prefix in _RESERVED_COLUMN_PREFIXES:
        if name.lower().startswith(prefix):
            return f"{name!r} begins with {prefix.upper()}, which BigQuery keeps for itself"
    return None


def table_name_problem(name: object) -> str | None:
    if not isinstance(name, str) or not _TABLE.fullmatch(name):
        return f"{name!r} is not a table name. Use ASCII letters, digits and _, at most 200, no digit first"
    if name.lower() in _RESERVED_TABLES:
        return f"{name!r} is the name of the exporter's own table in Terraform"
    return None


def dataset_name_problem(name: str) -> str | None:
    if not _DATASET.fullmatch(name):
        return f"{name!r} is not a dataset name. BigQuery takes ASCII letters, digits and _, at most 1,000 here"
    return None
