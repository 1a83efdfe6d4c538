"""Rows of any dataclass → the real command → BigQuery → the same rows, as Google's own client reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emulator.warehouse import WarehouseCopy
from exporter import BaseExtractor, ExtractorType
from exporter.days import window
from exporter_cases.row_classes import Kind, columns, every_column, record, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand

NEW_YORK = ZoneInfo("America/New_York")
DAYS = (date(2025, 3, 8), date(2025, 3, 9))  # the second has 23 hours
TICK = timedelta(microseconds=1)

EVERY_COLUMN = every_column(bignumeric=False)
FLAT_AND_NESTED = EVERY_COLUMN | {"nested": repeated(record(EVERY_COLUMN))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The rows of one table, numbered, so that they can be told apart."""

    row: Kind
    date_field: str
    aggregated: bool
    rows: dict[date, list[Any]]

    def expected(self) -> list[dict[str, Any]]:
        return [
            self.row.expected(row) | ({self.date_field: day} if self.aggregated else {})
            for day, rows in self.rows.items()
            for row in rows
        ]

    def read(self, found: dict[str, Any]) -> dict[str, Any]:
        return {**self.row.read(found), **({self.date_field: found[self.date_field]} if self.aggregated else {})}


@st.composite
def exports(draw: st.DrawFn, columns: st.SearchStrategy[dict[str, Kind]]) -> Export:
    drawn = draw(columns)
    aggregated, date_type = draw(st.sampled_from([(False, datetime), (False, date), (True, date)]))
    numbers, rows = count(), dict[date, list[dict[str, Any]]]()
    for day in DAYS:
        values = {name: kind.values for name, kind in drawn.items()}
        if not aggregated:
            values["at"] = instants_of(day) if date_type is datetime else st.just(day)
        some = st.lists(st.fixed_dictionaries(values), min_size=1, max_size=1 if aggregated else 3)
        rows[day] = [{**row, "number": next(numbers)} for row in draw(some)]
    fields = {"number": Kind(annotation=int, values=st.nothing()), **drawn}
    if not aggregated:
        fields["at"] = Kind(annotation=date_type, values=st.nothing(), expected=as_bigquery_has_it)
    row = record(fields)
    made = {day: [row.annotation(**one) for one in some] for day, some in rows.items()}
    return Export(row=row, date_field="at", aggregated=aggregated, rows=made)


def instants_of(day: date) -> st.SearchStrategy[datetime]:
    """Written in any time zone."""
    found = window(day, NEW_YORK)
    start, end = found.start.astimezone(UTC), found.end.astimezone(UTC)
    ticks = st.integers(0, (end - start) // TICK - 1)
    return st.builds(lambda n, zone: (start + n * TICK).astimezone(zone), ticks, st.timezones())


def as_bigquery_has_it(value: date) -> date:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


class AnyExtractor(BaseExtractor[Any]):
    """Of what a test has drawn."""

    table: ClassVar[str]
    export: ClassVar[Export]

    def get_dataclass(self) -> type[Any]:
        row_class: type[Any] = self.export.row.annotation
        return row_class

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated if self.export.aggregated else ExtractorType.individual_rows

    def get_date_field(self) -> str:
        return self.export.date_field

    def get_table_name(self) -> str:
        return self.table

    def extract(self, date_start: datetime, date_end: datetime) -> list[Any]:
        del date_end
        return self.export.rows[date_start.date()]


@pytest.fixture
def assert_comes_back(
    make_warehouse: MakeWarehouse, run_command: RunCommand, settings: Settings
) -> Callable[[Export], None]:
    """Into a table of its own, all in one dataset."""
    clients = make_warehouse(first_date=f"{DAYS[0]}").clients
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.AnyExtractor"]
    tables = count()

    def comes_back(export: Export) -> None:
        AnyExtractor.table, AnyExtractor.export = f"rows_{next(tables)}", export
        warehouse = WarehouseCopy.of_settings(clients)
        warehouse.make_table(AnyExtractor.table)

        result = run_command("smolqwery_extract", "--to", f"{DAYS[-1]}")

        rows = clients.bigquery.query(f"SELECT * FROM `{warehouse.name(AnyExtractor.table)}` ORDER BY `number`")
        found = [export.read(dict(row.items())) for row in rows.result()]
        assert result[1:] == ("", 0)
        assert found == export.expected()

    return comes_back


# The fixture is the same for all examples, and each has a table of its own.
SLOW_IS_FINE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@given(export=exports(columns(bignumeric=False, least=4)))
@examples(max_examples=20, suppress_health_check=SLOW_IS_FINE)
def test_rows_of_any_dataclass_come_back_as_they_went(
    assert_comes_back: Callable[[Export], None], export: Export
) -> None:
    assert_comes_back(export)


@given(export=exports(st.just(FLAT_AND_NESTED)))
@examples(max_examples=5, suppress_health_check=SLOW_IS_FINE)
def test_values_of_every_type_in_every_mode_come_back_as_they_went(
    assert_comes_back: Callable[[Export], None], export: Export
) -> None:
    assert_comes_back(export)
