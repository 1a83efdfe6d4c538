from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass
class User:
    users: int


@dataclass
class HalfACharacter:
    users: int = sq_field(description="😀 as \ud83d")


@dataclass
class Address:
    street: str = sq_field(description="s" * 1025)


@dataclass
class LongInside:
    addresses: list[Address]


class UserExtractor(BaseExtractor[User]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Any]:
        raise NotImplementedError


class HalfACharacterExtractor(UserExtractor):
    def get_dataclass(self) -> type[Any]:
        return HalfACharacter


class LongInsideExtractor(UserExtractor):
    def get_dataclass(self) -> type[Any]:
        return LongInside


class LongDescriptionExtractor(UserExtractor):
    def get_description(self) -> str:
        return "d" * 16_385


class NoTextExtractor(UserExtractor):
    def get_description(self) -> str:
        return b"description"  # type: ignore[return-value]
