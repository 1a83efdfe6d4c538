"""One local day of millions of rows, from a generator: what bounds memory must not be the size of a day."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exporter import BaseExtractor, ExtractorType

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = int(os.environ.get("LARGE_DAY_ROWS", "3_000_000"))


@dataclass(slots=True)
class LargeDay:
    timestamp: datetime
    number: int
    share: float
    flag: bool
    name: str
    city: str
    country: str | None
    comment: str | None
    size: int | None
    amount: int


class LargeDayExtractor(BaseExtractor[LargeDay]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[LargeDay]:
        assert date_start < date_end
        for number in range(ROWS):
            yield LargeDay(
                timestamp=date_start + timedelta(microseconds=number),
                number=number,
                share=number / 7,
                flag=number % 2 == 0,
                name=f"name {number}",
                city="New York",
                country=None if number % 3 else "US",
                comment=None,
                size=number % 1000,
                amount=number * 100,
            )
