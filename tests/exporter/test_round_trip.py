"""Rows of any dataclass → Arrow → the same rows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from django.db.models import IntegerChoices, TextChoices
from django.utils.safestring import SafeString
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter import sq_field
from exporter_cases.read_back import DAY, individual, read_back


class Colour(Enum):
    RED = "red"
    NONE = ""
    PARTY = "🎉"


class State(TextChoices):
    NEW = "new", "Just made"
    OLD = "old", "Long gone"


class Priority(IntegerChoices):
    LOW = 1, "Not urgent"


class FrozenTime(datetime):
    """As freezegun replaces it."""


def same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type of column: values for it, and what is to be found of them."""

    annotation: Any
    values: st.SearchStrategy[Any]
    expected: Callable[[Any], Any] = same
    read: Callable[[Any], Any] = same
    options: dict[str, Any] = field(default_factory=dict)


def decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    """With so many digits, `scale` of them after the point, and some that are written with less or more."""
    exact = st.integers(-(10**digits) + 1, 10**digits - 1).map(lambda number: Decimal(f"{number}E-{scale}"))
    whole = st.integers(-9, 9).map(lambda number: Decimal(f"{number}E+{digits - scale - 1}"))
    zeros = st.integers(-99, 99).map(lambda number: Decimal(f"0E{number:+}"))
    return exact | whole | zeros | st.just(Decimal("0.10000000000000000000000000000000000000000000000"))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
INSTANTS = (
    st.builds(
        lambda moment, fold: moment.replace(fold=fold),
        st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()),  # noqa: DTZ001
        st.sampled_from([0, 1]),
    )
    | st.datetimes(timezones=st.just(UTC))
    | st.datetimes(datetime(1, 1, 2), timezones=st.just(timezone(timedelta(hours=14, seconds=1))))  # noqa: DTZ001
    | st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
    | st.just(FrozenTime(2025, 1, 15, 10, tzinfo=UTC))
)
BINARY = st.binary(max_size=9)

KINDS = [
    Kind(annotation=bool, values=st.booleans()),
    Kind(
        annotation=int, values=st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**63 - 1, -(2**63), Priority.LOW])
    ),
    Kind(annotation=float, values=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)),
    Kind(annotation=float, values=st.floats(allow_nan=False), options={"allow_nan": True}),
    Kind(annotation=Decimal, values=decimals(38, 9)),
    Kind(
        annotation=Decimal,
        values=decimals(5, 2).filter(lambda value: abs(value) < 1_000),
        options={"precision": 5, "scale": 2},
    ),
    Kind(annotation=Decimal, values=decimals(76, 38), options={"precision": 76, "scale": 38}),
    Kind(annotation=str, values=st.text() | st.text().map(SafeString) | st.sampled_from(State), expected=str),
    Kind(
        annotation=Colour, values=st.sampled_from(Colour) | st.just("red"), expected=lambda value: Colour(value).value
    ),
    Kind(annotation=State, values=st.sampled_from(State) | st.just("new"), expected=str),
    Kind(annotation=Literal["a", "b"], values=st.sampled_from(["a", "b"])),
    Kind(annotation=uuid.UUID, values=st.uuids(), expected=str),
    Kind(
        annotation=bytes,
        values=BINARY | BINARY.map(bytearray) | BINARY.map(lambda value: memoryview(value)),  # noqa: PLW0108
        expected=bytes,
    ),
    Kind(annotation=date, values=st.dates()),
    Kind(annotation=datetime, values=INSTANTS, expected=lambda value: value.astimezone(UTC)),
    Kind(annotation=time, values=st.times() | st.times().map(lambda value: value.replace(fold=1))),
    Kind(annotation=dict, values=st.dictionaries(st.text(), JSON, max_size=3), read=json.loads),
    Kind(annotation=list[Any], values=st.lists(JSON, max_size=3), read=json.loads),
]


def optional(kind: Kind) -> Kind:
    return Kind(
        annotation=kind.annotation | None,
        values=st.none() | kind.values,
        expected=lambda value: None if value is None else kind.expected(value),
        read=lambda found: None if found is None else kind.read(found),
        options=kind.options,
    )


def repeated(kind: Kind) -> Kind:
    return Kind(
        annotation=list[kind.annotation],  # type: ignore[name-defined]
        values=st.lists(kind.values, max_size=3) | st.lists(kind.values, max_size=3).map(tuple),
        expected=lambda value: [kind.expected(element) for element in value],
        read=lambda found: [kind.read(element) for element in found],
        options=kind.options,
    )


def record(fields: dict[str, Kind], **options: Any) -> Kind:
    """A dataclass with these fields."""
    described = [(name, kind.annotation, sq_field(**kind.options)) for name, kind in fields.items()]
    row_class = make_dataclass("Row", described, **options)
    return Kind(
        annotation=row_class,
        values=st.builds(row_class, **{name: kind.values for name, kind in fields.items()}),
        expected=lambda row: {name: kind.expected(getattr(row, name)) for name, kind in fields.items()},
        read=lambda found: {name: kind.read(found[name]) for name, kind in fields.items()},
    )


NAMES = ["a", "b", "row", "rows", "type", "sinks", "keep", "require", "s1", "v1", "n1", "_x", "EPOCH", "frozen"]


@st.composite
def records(draw: st.DrawFn, kinds: list[Kind], *, depth: int) -> Kind:
    """A dataclass of columns of any type and mode."""
    if depth:
        kinds = [*kinds, *draw(st.lists(records(kinds, depth=depth - 1), min_size=1, max_size=2))]
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    kind = st.sampled_from(kinds[::-1])  # smaller examples have records, where it is difficult
    modes = st.sampled_from([same, optional, repeated])
    fields = {name: draw(modes)(draw(kind)) for name in names}
    options = {name: draw(st.booleans()) for name in ("slots", "frozen", "kw_only")}
    return record(fields, **options)


def assert_read_back(kind: Kind, rows: list[Any]) -> None:
    """Of rows of `kind`, each in a row that has a date."""
    row_class = make_dataclass("Outer", [("day", date), ("row", kind.annotation)])

    found = read_back(individual(row_class, "day"), [row_class(DAY.day, row) for row in rows])

    assert [kind.read(one["row"]) for one in found] == [kind.expected(row) for row in rows]


# More rows than the first batch takes.
COPIES = st.sampled_from([1, 40])
SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

EVERY_TYPE = record(
    {
        f"{mode.__name__}_{number}": mode(kind)
        for number, kind in enumerate(KINDS)
        for mode in (same, optional, repeated)
    }
)


@given(rows=st.lists(EVERY_TYPE.values, min_size=1, max_size=2), copies=COPIES)
@settings(max_examples=20, suppress_health_check=SLOW_IS_FINE)
def test_a_dataclass_with_every_type_in_every_mode(rows: list[Any], copies: int) -> None:
    assert_read_back(EVERY_TYPE, rows * copies)


@given(data=st.data())
@settings(max_examples=120, suppress_health_check=SLOW_IS_FINE)
def test_any_dataclass(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([same, optional, repeated]))(data.draw(records(KINDS, depth=2)))
    rows = data.draw(st.lists(kind.values, max_size=3)) * data.draw(COPIES)

    assert_read_back(kind, rows)
