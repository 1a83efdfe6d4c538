"""Hypothesis → row dataclasses over the whole type table, rows of them, and what BigQuery is to hold of these."""

from __future__ import annotations

import dataclasses
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
from hypothesis import strategies as st

from exporter import sq_field


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
    """Of what Arrow or BigQuery's client gives: comparable with `expected`."""
    options: dict[str, Any] = field(default_factory=dict)


def decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    """With so many digits, `scale` of them after the point, and some that are written with less or more."""
    exact = st.integers(-(10**digits) + 1, 10**digits - 1).map(lambda number: Decimal(f"{number}E-{scale}"))
    whole = st.integers(-9, 9).map(lambda number: Decimal(f"{number}E+{digits - scale - 1}"))
    zeros = st.integers(-99, 99).map(lambda number: Decimal(f"0E{number:+}"))
    return exact | whole | zeros | st.just(Decimal("0.10000000000000000000000000000000000000000000000"))


def comparable(number: float) -> float | str:
    """NaN is not equal to itself."""
    return number if number == number else "NaN"  # noqa: PLR0124


def parsed(found: Any) -> Any:
    """JSON, of which Arrow has the text, and BigQuery's client mostly what it says."""
    return json.loads(found) if isinstance(found, str) else found


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
    Kind(annotation=float, values=st.floats(), expected=comparable, read=comparable, options={"allow_nan": True}),
    Kind(annotation=Decimal, values=decimals(38, 9)),
    Kind(
        annotation=Decimal,
        values=decimals(5, 2).filter(lambda value: abs(value) < 1_000),
        options={"precision": 5, "scale": 2},
    ),
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
    Kind(annotation=dict, values=st.dictionaries(st.text(), JSON, max_size=3), read=parsed),
    Kind(annotation=list[Any], values=st.lists(JSON, max_size=3), read=parsed),
]
BIGNUMERIC = Kind(annotation=Decimal, values=decimals(76, 38), options={"precision": 76, "scale": 38})


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


def tupled(kind: Kind) -> Kind:
    """As `repeated`, written as `tuple[T, ...]`."""
    return dataclasses.replace(repeated(kind), annotation=tuple[kind.annotation, ...])  # type: ignore[name-defined]


MODES = (same, optional, repeated, tupled)


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


def every_column(*, bignumeric: bool) -> dict[str, Kind]:
    """One of each type in each mode. `bignumeric` as in `columns`."""
    kinds = [*KINDS, BIGNUMERIC] if bignumeric else KINDS
    return {f"{mode.__name__}_{number}": mode(kind) for number, kind in enumerate(kinds) for mode in MODES}


@st.composite
def columns(draw: st.DrawFn, *, bignumeric: bool, depth: int = 2, least: int = 1) -> dict[str, Kind]:
    """Of any type and mode, by name; RECORDs at most so deep. The emulator cannot make BIGNUMERIC ones."""
    kinds = [*KINDS, BIGNUMERIC] if bignumeric else KINDS
    if depth:
        inner = records(bignumeric=bignumeric, depth=depth - 1)
        kinds = [*kinds, *draw(st.lists(inner, min_size=1, max_size=2))]
    names = draw(st.lists(st.sampled_from(NAMES), min_size=least, max_size=least + 3, unique=True))
    kind = st.sampled_from(kinds[::-1])  # smaller examples have records, where it is difficult
    return {name: draw(st.sampled_from(MODES))(draw(kind)) for name in names}


def records(*, bignumeric: bool, depth: int = 2) -> st.SearchStrategy[Kind]:
    """Dataclasses of `columns`."""
    flags = {name: st.booleans() for name in ("slots", "frozen", "kw_only")}
    return st.builds(record, columns(bignumeric=bignumeric, depth=depth), **flags)
