from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Email:
    timestamp: datetime
    day: date
    sent: datetime | None
    kind: str
    score: float


class NotGeneric(BaseExtractor):  # type: ignore[type-arg]
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Any]:
        raise NotImplementedError


class Rows(BaseExtractor[Email]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Email]:
        raise NotImplementedError


class TypeOfItsOwn(Rows):
    def get_extractor_type(self) -> ExtractorType:
        return "individual_rows"  # type: ignore[return-value]


class NoDateField(Rows):
    def get_date_field(self) -> str:
        return "created"


class DateFieldOfAnotherType(Rows):
    def get_date_field(self) -> str:
        return "kind"


class OptionalDateField(Rows):
    def get_date_field(self) -> str:
        return "sent"


@dataclass
class Total:
    timestamp: datetime
    total: int = sq_field(differentiate=True)


class DifferentiatedRows(BaseExtractor[Total]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Total]:
        raise NotImplementedError


class TableNameWithADash(Rows):
    def get_table_name(self) -> str:
        return "e-mail"


class TableNameOfTheLedger(Rows):
    def get_table_name(self) -> str:
        return "Exporter_Ledger"


class UnknownPartitioning(Rows):
    def get_partitioning(self) -> str:
        return "WEEK"


class HoursOfADate(Rows):
    def get_date_field(self) -> str:
        return "day"

    def get_partitioning(self) -> str:
        return "HOUR"


class ExpirationWithoutPartitions(Rows):
    def get_partitioning(self) -> None:
        return None

    def get_partition_expiration(self) -> timedelta:
        return timedelta(days=1)


class NegativeExpiration(Rows):
    def get_partition_expiration(self) -> timedelta:
        return timedelta(days=-1)


class ClusteredByFloat(Rows):
    def get_clustering_fields(self) -> list[str]:
        return ["score"]


class ClusteredByNothing(Rows):
    def get_clustering_fields(self) -> list[str]:
        return ["nothing"]


class MethodThatRaises(Rows):
    def get_description(self) -> str:
        raise LookupError("no description in the database")


SMOLQWERY_EXTRACTORS = [
    f"{__name__}.{value.__name__}"
    for value in list(globals().values())
    if isinstance(value, type) and issubclass(value, BaseExtractor) and value not in (BaseExtractor, Rows)
]
