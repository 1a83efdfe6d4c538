from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass
class User:
    users: int = sq_field(differentiate=True)


class UserExtractor(BaseExtractor[User]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[User]:
        raise NotImplementedError


class OtherExtractor(UserExtractor):
    def get_table_name(self) -> str:
        return "user"
