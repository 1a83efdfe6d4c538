"""Descriptions of tables and columns → accepted, or the reason why Terraform or BigQuery would refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.schema import Column

# https://cloud.google.com/bigquery/quotas#all_tables
_MAX_OF_TABLE = 16_384
_MAX_OF_COLUMN = 1_024


def check_descriptions(extractor: str, description: object, columns: Iterable[Column]) -> None:
    """Raises SchemaError."""
    _check(f"{extractor}, get_description()", description, _MAX_OF_TABLE)
    pending = [(column.name, column) for column in columns]
    for path, column in pending:
        _check(f"{extractor}, column {path}, description", column.description, _MAX_OF_COLUMN)
        pending.extend((f"{path}.{field.name}", field) for field in column.fields)


def _check(location: str, text: object, most: int) -> None:
    if not isinstance(text, str):
        # Such as a lazy translation, which would be another text under another locale.
        raise SchemaError(location=location, problem=f"is a {type(text).__name__}.", remedy="Use a str.")
    if len(text) > most:
        problem = f"has {len(text):,} characters, and BigQuery takes {most:,}."
        raise SchemaError(location=location, problem=problem, remedy="Shorten it.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SchemaError(
            location=location,
            problem=f"{text[error.start]!r} is half a character.",
            remedy="Write the whole one, such as '\\U0001f600' for '\\ud83d\\ude00'.",
        ) from error
