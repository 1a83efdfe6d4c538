"""Django's statistics as dataclasses → rows in BigQuery, exactly once."""

from __future__ import annotations

from exporter.errors import (
    DayError,
    ExporterError,
    ExtractionError,
    LedgerError,
    RowError,
    SchemaError,
    SettingsError,
    TableError,
    WarehouseError,
    WriteError,
)
from exporter.extractors import BaseExtractor, ExtractorType
from exporter.field_options import sq_field
from exporter.querysets import QuerySetExtractor

__all__ = [
    "BaseExtractor",
    "DayError",
    "ExporterError",
    "ExtractionError",
    "ExtractorType",
    "LedgerError",
    "QuerySetExtractor",
    "RowError",
    "SchemaError",
    "SettingsError",
    "TableError",
    "WarehouseError",
    "WriteError",
    "sq_field",
]
