"""Tables that are alike, of a thousand rows a day each, from a generator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import new_class
from typing import TYPE_CHECKING, Generic, TypeVar

from exporter import BaseExtractor, ExtractorType

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 1_000
TABLES = 8


@dataclass
class Click:
    timestamp: datetime
    number: int
    page: str
    visitor: str | None


C = TypeVar("C", bound=Click)


class ClickExtractor(BaseExtractor[C], Generic[C]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[C]:
        assert date_start < date_end
        row_class = self.get_dataclass()
        for number in range(ROWS):
            visitor = None if number % 3 else f"visitor {number}"
            yield row_class(date_start + timedelta(seconds=number), number, f"/pages/{number % 7}", visitor)


def _named(number: int) -> type[BaseExtractor[Click]]:
    row_class = new_class(f"Click{number}", (Click,), exec_body=lambda names: names.update(__module__=__name__))
    return new_class(
        f"Click{number}Extractor",
        (ClickExtractor[row_class],),  # type: ignore[valid-type] # known only now
        exec_body=lambda names: names.update(__module__=__name__),
    )


_extractors = {extractor.__name__: extractor for extractor in map(_named, range(1, TABLES + 1))}
globals().update(_extractors)
PATHS = tuple(f"{__name__}.{name}" for name in _extractors)
