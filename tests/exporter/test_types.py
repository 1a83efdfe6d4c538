"""Every type, from a dataclass through codegen's schema, Arrow and the write stream to BigQuery and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from exporter_cases.everything import FULL, SPARSE, SampleExtractor

if TYPE_CHECKING:
    from conftest import MakeWarehouse, RunCommand


def test_values_come_back_as_they_went(make_warehouse: MakeWarehouse, run_command: RunCommand) -> None:
    warehouse = make_warehouse(SampleExtractor)

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == ("sample  2025-01-01  2 rows  committed  0.0 s\n", "", 0)
    found = warehouse.clients.bigquery.query(f"SELECT * FROM `{warehouse.name('sample')}` ORDER BY `timestamp` DESC")
    full, sparse = (dict(row.items()) for row in found.result())
    # The emulator calls a list of JSON a list of STRING, so the client leaves the texts as they are.
    full["many_mappings"] = [json.loads(text) for text in full["many_mappings"]]
    assert full == _in_bigquery(asdict(FULL))
    assert sparse == _in_bigquery(asdict(SPARSE))


def _in_bigquery(value: Any) -> Any:
    """BigQuery has strings for these."""
    if isinstance(value, dict):
        return {key: _in_bigquery(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_bigquery(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value
