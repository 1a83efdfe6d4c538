"""Windows of days → the rows that BigQuery really has in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from exporter.jobs import Jobs, Parameter, array, scalar
from exporter.refusals import translated_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.warehouse import Warehouse


def newest(warehouse: Warehouse, table_id: str, column: str) -> date | datetime | None:
    """The greatest value of a DATE or TIMESTAMP column; None: there is no row. Raises WarehouseError."""
    name = warehouse.name(table_id)
    with translated_errors(name):
        (row,) = Jobs(warehouse).rows_at_once(f"SELECT MAX(`{column}`) AS `newest` FROM `{name}`", [])
    found: date | datetime | None = row["newest"]
    return found


def rows_between(warehouse: Warehouse, table_id: str, column: str, start: date | datetime, end: date | datetime) -> int:
    """Rows with `start` <= `column` < `end`. Raises WarehouseError."""
    sql = f"SELECT COUNT(*) AS `rows` FROM `{{table}}` WHERE `{column}` >= @start AND `{column}` < @end"
    (row,) = _rows(warehouse, table_id, sql, window_parameters(start, end))
    return int(row["rows"])


def rows_by_bound(
    warehouse: Warehouse, table_id: str, column: str, bounds: Sequence[date | datetime]
) -> Mapping[int | None, int]:
    """Rows between each two of these ascending bounds: 0 is before the first, n from the n-th on, None without a value.

    Where there are no rows there is no entry. Bounds that are equal have none between them. Raises WarehouseError.
    """
    sql = f"""
SELECT `bound`, COUNT(*) AS `rows`
FROM (SELECT RANGE_BUCKET(`{column}`, @bounds) AS `bound` FROM `{{table}}`)
GROUP BY `bound`
"""
    return {
        row["bound"]: row["rows"]
        for row in _rows(warehouse, table_id, sql, [array("bounds", _kind(bounds[0]), bounds)])
    }


def window_parameters(start: date | datetime, end: date | datetime) -> list[Parameter]:
    """@start and @end."""
    return [scalar("start", _kind(start), start), scalar("end", _kind(end), end)]


def _kind(value: date | datetime) -> str:
    return "TIMESTAMP" if isinstance(value, datetime) else "DATE"


def _rows(
    warehouse: Warehouse, table_id: str, sql: str, parameters: Sequence[Parameter]
) -> Sequence[Mapping[str, Any]]:
    name = warehouse.name(table_id)
    with translated_errors(name):
        return Jobs(warehouse).rows(sql.format(table=name), parameters)
