from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable


class Aggregated(BaseExtractor[Any]):
    row_class: type

    def get_dataclass(self) -> type:
        return self.row_class

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Any]:
        raise NotImplementedError


def extractor(row_class: type) -> type:
    name = f"{row_class.__name__}Extractor"
    return type(name, (Aggregated,), {"row_class": row_class, "__module__": __name__})


class NoDataclass:
    users: int


@dataclass
class NoColumns:
    pass


@dataclass
class UnsupportedAnnotation:
    users: complex


@dataclass
class UnknownAnnotation:
    users: Nowhere  # type: ignore[name-defined]  # noqa: F821


@dataclass
class TwoTypes:
    users: int | str


@dataclass
class NullList:
    users: list[int] | None


@dataclass
class NullInList:
    users: list[int | None]


@dataclass
class ListOfLists:
    users: list[list[int]]


@dataclass
class DifferentiatedText:
    country: str = sq_field(differentiate=True)


@dataclass
class PrecisionOfInteger:
    users: int = sq_field(precision=3)


@dataclass
class TooPrecise:
    amount: Decimal = sq_field(precision=80, scale=40)


@dataclass
class ReservedColumn:
    _table_suffix: str


@dataclass
class ForeignColumn:
    größe: int  # noqa: PLC2401 - that is what is wrong with it


@dataclass
class ColumnsThatDifferByCase:
    users: int
    Users: int


@dataclass
class Inner:
    total: int = sq_field(differentiate=True)


@dataclass
class DifferentiatedInside:
    inner: Inner


@dataclass
class Endless:
    parts: list[Endless]


@dataclass
class DateColumnTwice:
    date: datetime


for _row_class in (
    NoDataclass,
    NoColumns,
    UnsupportedAnnotation,
    UnknownAnnotation,
    TwoTypes,
    NullList,
    NullInList,
    ListOfLists,
    DifferentiatedText,
    PrecisionOfInteger,
    TooPrecise,
    ReservedColumn,
    ForeignColumn,
    ColumnsThatDifferByCase,
    DifferentiatedInside,
    Endless,
    DateColumnTwice,
):
    globals()[f"{_row_class.__name__}Extractor"] = extractor(_row_class)

SMOLQWERY_EXTRACTORS = [
    f"{__name__}.{name}" for name in list(globals()) if name.endswith("Extractor") and name != "BaseExtractor"
]
