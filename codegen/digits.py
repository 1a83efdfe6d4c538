"""The digits of a decimal column as they were and as they are → whether every value that was there still fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exporter.schema import Column


def holds_as_much(old: Column, new: Column) -> bool:
    """BigQuery lets a column have more digits on either side of the point, or no limit, and never fewer or a new limit.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_column_set_data_type_statement
    """
    if new.precision is None or (old.precision, old.scale) == (new.precision, new.scale):
        return True
    if old.precision is None:
        return False
    old_scale, new_scale = old.scale or 0, new.scale or 0
    return new_scale >= old_scale and new.precision - new_scale >= old.precision - old_scale
