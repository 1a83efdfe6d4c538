"""Django's statistics as dataclasses → rows in BigQuery, exactly once.

To be read in this order. `extractors`, `querysets` and `field_options` are what a team uses; `schema` and `tables` make
columns of its dataclasses, `checks` and `conf` say early what is wrong.

`export` is a run: `sources` looks up tables and ledger, `drafts` and `unit` read days, `ledger` prepares them once for
all runs, `commits` makes them visible, `recovery` and `doubt` finish what a run left. `replacement` exchanges days,
`verify` and `status` look at them.

Rows go through `reading`, `batches` (`gather`, `arrays`), `payloads`, `write_streams` and `append_call`. Those of a
QuerySet come without rows where they can: `direct` casts what `asked` asks a connection of `direct_source`'s for, and
what is not known to be the same raises RowsNeededError.

`warehouse`, `jobs` and the write streams alone talk to BigQuery; the commands alone print, by `progress` and `command`.
"""

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
