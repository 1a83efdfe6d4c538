from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class User:
    """Accounts and what they bought."""

    users: int = sq_field(differentiate=True, description="Accounts ever registered.")
    order: int | None = sq_field(differentiate=True, description="Orders ever placed.")
    country: str = sq_field(description="Where most of them are.")


class UserExtractor(BaseExtractor[User]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[User]:
        raise NotImplementedError


@dataclass
class Email:
    timestamp: datetime
    kind: str


class EmailExtractor(BaseExtractor[Email]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Email]:
        raise NotImplementedError
