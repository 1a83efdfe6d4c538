"""Rows of any values in a database → read through ADBC the same, bit for bit, as row by row."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter_cases.stock import DAY, FIELDS, TICK, ItemExtractor, put, read

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeAlias = Callable[[str, dict[str, Any]], str]


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-(10**digits) + 1, 10**digits - 1).map(lambda number: Decimal(f"{number}E-{places}"))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=9)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
INSTANTS = st.datetimes(timezones=st.just(UTC))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "at": st.integers(0, 24 * 3_600 * 10**6 - 1).map(lambda n: DAY.start.astimezone(UTC) + n * TICK),
    "flag": st.booleans(),
    "small": st.integers(-(2**15), 2**15 - 1),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "price": decimals(10, 2),
    "amount": decimals(15, 9) | decimals(24, 9),
    "code": TEXT,
    "text": TEXT,
    "size": st.sampled_from(["s", "large"]),
    "color": st.sampled_from(["red", "green"]),
    "unique": st.uuids(),
    "data": st.binary(max_size=9),
    "day": st.dates(),
    "seen": INSTANTS,
    "clock": st.times(),
    "mapping": st.dictionaries(TEXT, JSON, max_size=3),
    "listing": st.lists(JSON, max_size=3),
}
ITEMS = st.fixed_dictionaries(
    VALUES | {f"maybe_{name}": st.none() | values for name, values in VALUES.items() if name != "at"}
)


@given(items=st.lists(ITEMS, min_size=1, max_size=3), copies=st.sampled_from([1, 3]), order=st.permutations(FIELDS))
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_any_values(shop: str, items: list[dict[str, Any]], copies: int, order: list[str]) -> None:
    put("shop", *items * copies)
    ItemExtractor.queryset = lambda found: found.order_by("pk").values_list(*order)

    direct, rows = read(ItemExtractor(), by_rows=False), read(ItemExtractor(), by_rows=True)

    assert direct.content == rows.content
    # What the table takes is read without rows, but for decimals of more digits than SQLite keeps.
    assert direct.reasons == () or rows.message, (shop, direct.reasons)
