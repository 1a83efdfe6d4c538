"""Rows of any dataclass → Arrow → the same rows."""

from __future__ import annotations

from dataclasses import make_dataclass
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter_cases.read_back import DAY, individual, read_back
from exporter_cases.row_classes import MODES, Kind, every_column, record, records

# More rows than the first batch takes.
COPIES = st.sampled_from([1, 40])
SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

EVERY_TYPE = record(every_column(bignumeric=True))


def assert_read_back(kind: Kind, rows: list[Any]) -> None:
    """Of rows of `kind`, each in a row that has a date."""
    row_class = make_dataclass("Outer", [("day", date), ("row", kind.annotation)])

    found = read_back(individual(row_class, "day"), [row_class(DAY.day, row) for row in rows])

    assert [kind.read(one["row"]) for one in found] == [kind.expected(row) for row in rows]


@given(rows=st.lists(EVERY_TYPE.values, min_size=1, max_size=2), copies=COPIES)
@settings(max_examples=20, suppress_health_check=SLOW_IS_FINE)
def test_a_dataclass_with_every_type_in_every_mode(rows: list[Any], copies: int) -> None:
    assert_read_back(EVERY_TYPE, rows * copies)


@given(data=st.data())
@settings(max_examples=120, suppress_health_check=SLOW_IS_FINE)
def test_any_dataclass(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(MODES))(data.draw(records(bignumeric=True)))
    rows = data.draw(st.lists(kind.values, max_size=3)) * data.draw(COPIES)

    assert_read_back(kind, rows)
