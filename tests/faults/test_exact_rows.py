"""Rows of any dataclass, BIGNUMERIC and RECORDs of it too → the real command → what the fault server was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emulator.warehouse import WarehouseCopy
from exporter import BaseExtractor, ExtractorType
from exporter_cases.row_classes import Kind, columns, every_column, record, repeated
from faults.endings import ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand
    from faults.server import FaultServer

DAY = date(2025, 1, 15)
NOON = datetime(2025, 1, 15, 17, tzinfo=UTC)
KEYS = {
    "number": Kind(annotation=int, values=st.nothing()),
    "at": Kind(annotation=datetime, values=st.just(NOON)),
}
EVERY_COLUMN = every_column(bignumeric=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Of one table, numbered, all of one day."""

    kind: Kind
    rows: list[Any]


@st.composite
def tables(draw: st.DrawFn, columns: st.SearchStrategy[dict[str, Kind]]) -> Rows:
    drawn = draw(columns)
    kind = record(KEYS | drawn)
    values = st.fixed_dictionaries({name: column.values for name, column in drawn.items()})
    rows = draw(st.lists(values, min_size=1, max_size=3))
    return Rows(kind=kind, rows=[kind.annotation(number=n, at=NOON, **row) for n, row in enumerate(rows)])


class AnyExtractor(BaseExtractor[Any]):
    """Of what a test has drawn."""

    table: ClassVar[str]
    drawn: ClassVar[Rows]

    def get_dataclass(self) -> type[Any]:
        row_class: type[Any] = self.drawn.kind.annotation
        return row_class

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_date_field(self) -> str:
        return "at"

    def get_table_name(self) -> str:
        return self.table

    def extract(self, date_start: datetime, date_end: datetime) -> list[Any]:
        del date_end
        return self.drawn.rows if date_start.date() == DAY else []


@pytest.fixture
def assert_comes_back(
    make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer, settings: Settings
) -> Callable[[Rows], None]:
    """Into a table of its own, all in one dataset."""
    clients = make_faulty_warehouse(first_date=f"{DAY}").clients
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.AnyExtractor"]
    numbers = count()

    def comes_back(drawn: Rows) -> None:
        AnyExtractor.table, AnyExtractor.drawn = f"rows_{next(numbers)}", drawn
        WarehouseCopy.of_settings(clients).make_table(AnyExtractor.table)

        result = run_command("smolqwery_extract", "--to", f"{DAY}")

        rows = f"{len(drawn.rows)} row{'s' if len(drawn.rows) > 1 else ''}"
        line = ended("committed", first=f"{DAY}", last=f"{DAY}", rows=rows)[0]
        assert result == (line.replace("order", AnyExtractor.table), "", 0)
        found = [drawn.kind.read(row) for row in server.rows(AnyExtractor.table)]
        assert found == [drawn.kind.expected(row) for row in drawn.rows]

    return comes_back


# The fixture is the same for all examples, and each has a table of its own. A test that failed once must fail again.
EXAMPLES = examples(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(drawn=tables(columns(bignumeric=True, least=4)))
@examples(EXAMPLES, max_examples=20)
def test_rows_of_any_dataclass_arrive_as_they_were_yielded(
    assert_comes_back: Callable[[Rows], None], drawn: Rows
) -> None:
    assert_comes_back(drawn)


@given(drawn=tables(st.just(EVERY_COLUMN | {"nested": repeated(record(EVERY_COLUMN))})))
@examples(EXAMPLES, max_examples=3)
def test_values_of_every_type_in_every_mode_arrive_as_they_were_yielded(
    assert_comes_back: Callable[[Rows], None], drawn: Rows
) -> None:
    assert_comes_back(drawn)
