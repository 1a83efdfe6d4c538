from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable


class Channel(Enum):
    web = "web"
    shop = "shop"


@dataclass(kw_only=True)
class Item:
    sku: str
    price: Decimal = sq_field(precision=12, scale=4)
    options: dict[str, Any] | None = None
    tags: list[str] = sq_field(default_factory=list, description="In the order of the shelf.")


@dataclass(kw_only=True)
class Address:
    street: str
    zip: str | None = sq_field(policy_tags=["projects/p/locations/eu/taxonomies/1/policyTags/2"])


@dataclass(kw_only=True)
class Order:
    placed: date
    id: UUID
    number: int
    channel: Channel
    state: Literal["open", "paid"]
    paid: bool | None
    weight: float | None = sq_field(allow_nan=True)
    total: Decimal = sq_field(description="With tax.")
    tip: Decimal | None = sq_field(precision=5)
    rate: Decimal = sq_field(precision=20, scale=15)
    signature: bytes | None
    at: time
    confirmed: datetime | None
    raw: list[Any]
    address: Address | None
    items: list[Item]
    visits: tuple[datetime, ...]


class OrderExtractor(BaseExtractor[Order]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Order]:
        raise NotImplementedError

    def get_table_name(self) -> str:
        return "Orders_2"

    def get_date_field(self) -> str:
        return "placed"

    def get_partitioning(self) -> str:
        return "MONTH"

    def get_partition_expiration(self) -> timedelta:
        return timedelta(days=400)

    def get_clustering_fields(self) -> list[str]:
        return ["channel", "id", "placed", "total"]


@dataclass(kw_only=True)
class Stock:
    value: Decimal = sq_field(differentiate=True, precision=38, scale=9)
    exact: Decimal = sq_field(differentiate=True, precision=50, scale=20)
    weight: float | None = sq_field(differentiate=True)
    items: list[Item]
    address: Address


class StockExtractor(BaseExtractor[Stock]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Stock]:
        raise NotImplementedError

    def get_partitioning(self) -> str:
        return "YEAR"

    def get_clustering_fields(self) -> list[str]:
        return ["date"]


@dataclass(kw_only=True)
class Click:
    timestamp: datetime


class ClickExtractor(BaseExtractor[Click]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Click]:
        raise NotImplementedError

    def get_partitioning(self) -> str:
        return "HOUR"


@dataclass(kw_only=True)
class Visit:
    timestamp: datetime


class VisitExtractor(BaseExtractor[Visit]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Visit]:
        raise NotImplementedError

    def get_partitioning(self) -> None:
        return None
