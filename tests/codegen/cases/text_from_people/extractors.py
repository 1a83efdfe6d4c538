from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

NASTY = 'a "quote", a \\ backslash, ${interpolation}, $${twice}, %{ directive }, %%{twice}, 😀, שלום, é, ends in $'

SMOLQWERY_ACL_GROUPS = [
    "Data-Team@Example.COM",
    "data-team@example.com",
    'a "quote"@example.com',
    "back\\slash@example.com",
    "${interpolation}@example.com",
    "%{directive}@example.com",
    "new\nline@example.com",
    "😀@example.com",
]
SMOLQWERY_READER_GROUPS = ("data-team@example.com",)


@dataclass
class Price:
    true: int = sq_field(differentiate=True, description=NASTY)
    select: int = sq_field(description="First line.\r\n\tSecond line.")
    previous_days: int = sq_field(description="bell \a, zero \0, line separator \u2028, right-to-left \u202e")


class PriceExtractor(BaseExtractor[Price]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Price]:
        raise NotImplementedError

    def get_date_field(self) -> str:
        return "at"

    def get_description(self) -> str:
        return f"{NASTY}\nSecond line.\r\n\tThird line, with bell \a, zero \0, separator \u2028, right-to-left \u202e."


class KeywordExtractor(PriceExtractor):
    """A word that Terraform knows is a name like any other."""

    def get_table_name(self) -> str:
        return "for"


class OverrideExtractor(PriceExtractor):
    """Terraform takes a file named …_override.tf for changes to other files."""

    def get_table_name(self) -> str:
        return "price_override"
