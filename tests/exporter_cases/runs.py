"""Extractors → what a run has of them, without a command."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from exporter.interrupts import Interrupts
from exporter.ledger import Ledger
from exporter.metadata import Table
from exporter.run import Options, Run, Source

if TYPE_CHECKING:
    from exporter import BaseExtractor
    from exporter.conf import Settings
    from exporter.progress import Reporter
    from exporter.warehouse import Warehouse

NEW_YORK = ZoneInfo("America/New_York")
SILENT = cast(
    "Reporter",
    SimpleNamespace(
        **dict.fromkeys(("share", "reading", "unit", "nothing_new", "notice", "detail", "failed"), lambda *_args: None),
    ),
)


def run_on(warehouse: Warehouse, settings: Settings, *, run_id: str = "run 1") -> Run:
    return Run(
        settings=settings,
        warehouse=warehouse,
        ledger=Ledger(warehouse, time_zone=settings.zone.key),
        options=Options(run_id=run_id),
        reporter=SILENT,
        interrupts=Interrupts(),
    )


def dry_run() -> Run:
    """Of a run that neither asks BigQuery nor writes to it."""
    nothing = cast("Any", None)
    options = Options(run_id="dry", dry_run=True)
    return Run(
        settings=nothing,
        warehouse=nothing,
        ledger=nothing,
        options=options,
        reporter=SILENT,
        interrupts=Interrupts(),
    )


def source_of(extractor: BaseExtractor[Any], table: Table | None = None, name: str = "project.dataset.table") -> Source:
    """In New York's days; without a table, one that has nothing to say."""
    nothing = Table(
        table_id="order",
        created=datetime(2025, 1, 1, tzinfo=UTC),
        partitioned=False,
        expiration=None,
        fields=(),
    )
    return Source(extractor=extractor, table=table or nothing, name=name, zone=NEW_YORK)
