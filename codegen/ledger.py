"""The exporter's ledger, as the table that Terraform makes."""

from __future__ import annotations

from exporter.annotations import Mode, Type
from exporter.schema import Column

LEDGER_LABEL = "exporter_ledger"
"""Its name among the tables, in Terraform and of its schema's file."""


def _column(name: str, column_type: Type, description: str, mode: Mode = Mode.REQUIRED) -> Column:
    return Column(name=name, type=column_type, mode=mode, description=description, python_type=None)


# Rows are only ever appended. Nothing here is NULL: a later event says more than a column filled in afterwards.
LEDGER_COLUMNS = (
    _column("table_id", Type.STRING, "The table that the day was exported to, without project and dataset."),
    _column(
        "table_created",
        Type.TIMESTAMP,
        "When that table was created. Rows about an earlier table of the same name say nothing about this one.",
    ),
    _column("day", Type.DATE, "The local day in time_zone."),
    _column(
        "generation",
        Type.INTEGER,
        "0, or one more than the day's last abandoned generation. Of a replacement: its number, 1 for the first.",
    ),
    _column(
        "event",
        Type.STRING,
        "What happened to the day: prepared, committed, abandoned, adopted, replacing, replaced or expired.",
    ),
    _column("row_count", Type.INTEGER, "How many rows of the day the event is about."),
    _column(
        "streams",
        Type.STRING,
        "The write streams that hold the rows of the day's unit: committed, they are in the table. Of a replacement: "
        "the staging table that holds them.",
        Mode.REPEATED,
    ),
    _column("run_id", Type.STRING, "The run of the exporter that recorded the event."),
    _column("time_zone", Type.STRING, "The time zone that the day is local to, such as Europe/Madrid."),
    _column("recorded_at", Type.TIMESTAMP, "When the event was recorded, by BigQuery's clock."),
)
