"""An extractor with a column of every type that the emulator has: REQUIRED, NULLABLE and REPEATED."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterator


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


@dataclass(slots=True)
class Part:
    name: str
    weight: float | None
    price: Decimal = sq_field(precision=10, scale=2)


@dataclass(slots=True)
class Nested:
    legs: list[int]
    parts: list[Part]
    deepest: Part | None
    size: Size


@dataclass(slots=True, kw_only=True)
class Sample:
    """Every type."""

    timestamp: datetime
    flag: bool
    whole: int
    real: float
    amount: Decimal
    price: Decimal = sq_field(precision=10, scale=2)
    text: str
    size: Size
    color: Literal["red", "green"]
    identifier: UUID
    data: bytes
    day: date
    clock: time
    mapping: dict[str, Any]
    anything: list[Any]
    nested: Nested
    optional_flag: bool | None = None
    optional_whole: int | None = None
    optional_real: float | None = None
    optional_amount: Decimal | None = None
    optional_price: Decimal | None = sq_field(precision=10, scale=2, default=None)
    optional_text: str | None = None
    optional_size: Size | None = None
    optional_color: Literal["red", "green"] | None = None
    optional_identifier: UUID | None = None
    optional_data: bytes | None = None
    optional_timestamp: datetime | None = None
    optional_day: date | None = None
    optional_clock: time | None = None
    optional_mapping: dict[str, Any] | None = None
    optional_nested: Nested | None = None
    many_flags: list[bool] = field(default_factory=list)
    many_wholes: list[int] = field(default_factory=list)
    many_reals: list[float] = field(default_factory=list)
    many_amounts: list[Decimal] = field(default_factory=list)
    many_texts: list[str] = field(default_factory=list)
    many_sizes: tuple[Size, ...] = ()
    many_colors: list[Literal["red", "green"]] = field(default_factory=list)
    many_identifiers: list[UUID] = field(default_factory=list)
    many_data: list[bytes] = field(default_factory=list)
    many_timestamps: list[datetime] = field(default_factory=list)
    many_days: list[date] = field(default_factory=list)
    many_clocks: list[time] = field(default_factory=list)
    many_mappings: list[dict[str, Any]] = field(default_factory=list)
    many_nested: list[Nested] = field(default_factory=list)


INSTANT = datetime(2025, 1, 1, 12, 0, 0, 123456, UTC)
SOME_ID = UUID("12345678-1234-5678-1234-567812345678")
PART = Part(name="wheel", weight=1.5, price=Decimal("12.34"))
NESTED = Nested(
    legs=[1, 2], parts=[PART, Part(name="axle", weight=None, price=Decimal(-1))], deepest=PART, size=Size.LARGE
)
BARE = Nested(legs=[], parts=[], deepest=None, size=Size.SMALL)

SPARSE = Sample(
    timestamp=INSTANT.replace(microsecond=0),
    flag=False,
    whole=-(2**63),
    real=-0.1,
    amount=Decimal("-99999999999999999999999999999.999999999"),
    price=Decimal("-99999999.99"),
    text="",
    size=Size.SMALL,
    color="green",
    identifier=SOME_ID,
    data=b"",
    day=date(1, 1, 1),
    clock=time(0),
    mapping={},
    anything=[],
    nested=BARE,
)
"""All that can be missing is."""

FULL = Sample(
    timestamp=INSTANT,
    flag=True,
    whole=2**63 - 1,
    real=1e300,
    amount=Decimal("99999999999999999999999999999.999999999"),
    price=Decimal("99999999.99"),
    text='"quoted" \\ ${x} \n ü 😀 \x00',
    size=Size.LARGE,
    color="red",
    identifier=SOME_ID,
    data=b"\x00\xff",
    day=date(9999, 12, 31),
    clock=time(23, 59, 59, 999999),
    mapping={"a": [1, 2.5, None, True, {"b": "ü"}]},
    anything=[1, "two", {"three": 3}],
    nested=NESTED,
    optional_flag=True,
    optional_whole=7,
    optional_real=0.5,
    optional_amount=Decimal("0.000000001"),
    optional_price=Decimal("0.01"),
    optional_text="text",
    optional_size=Size.SMALL,
    optional_color="red",
    optional_identifier=SOME_ID,
    optional_data=b"data",
    optional_timestamp=INSTANT,
    optional_day=date(2025, 1, 1),
    optional_clock=time(12, 30),
    optional_mapping={"key": "value"},
    optional_nested=BARE,
    many_flags=[True, False],
    many_wholes=[1, 2, 3],
    many_reals=[0.1, 0.2],
    many_amounts=[Decimal(1), Decimal("2.5")],
    many_texts=["a", "", "😀"],
    many_sizes=(Size.LARGE, Size.SMALL),
    many_colors=["red", "green"],
    many_identifiers=[SOME_ID],
    many_data=[b"a", b""],
    many_timestamps=[INSTANT, INSTANT.replace(year=1970)],
    many_days=[date(2025, 1, 1)],
    many_clocks=[time(1, 2, 3)],
    many_mappings=[{"a": 1}, {}],
    many_nested=[NESTED, BARE],
)


class SampleExtractor(BaseExtractor[Sample]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Sample]:
        yield from (sample for sample in (FULL, SPARSE) if date_start <= sample.timestamp < date_end)
