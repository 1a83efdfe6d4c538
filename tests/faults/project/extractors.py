"""The seeded source → rows: individual ones from a database, aggregated ones, and ones with RECORD columns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import starmap

from exporter import BaseExtractor, ExtractorType, sq_field
from faults.project import source
from faults.project.models import VisitRecord


@dataclass(slots=True)
class Visit:
    """One visit."""

    timestamp: datetime
    number: int
    page: str
    visitor: str | None


@dataclass(slots=True)
class Tally:
    """Visits ever."""

    visits: int = sq_field(differentiate=True)


@dataclass(slots=True)
class Item:
    name: str
    pieces: int


@dataclass(slots=True)
class Parcel:
    """One parcel."""

    sent_on: date
    number: int
    contents: list[Item]
    tags: list[str]
    largest: Item | None
    price: Decimal


class VisitExtractor(BaseExtractor[Visit]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Visit]:
        rows = VisitRecord.objects.filter(at__gte=date_start, at__lt=date_end).order_by("number")
        return starmap(Visit, rows.values_list("at", "number", "page", "visitor").iterator(chunk_size=50))


class TallyExtractor(BaseExtractor[Tally]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Tally]:
        del date_start
        yield Tally(visits=VisitRecord.objects.filter(at__lt=date_end).count())


class ParcelExtractor(BaseExtractor[Parcel]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_date_field(self) -> str:
        return "sent_on"

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Parcel]:
        del date_end
        day, edition = date_start.date(), int(os.environ["FAULTS_EDITION"])
        for sent in source.parcels(day, edition):
            items = list(starmap(Item, sent.contents))
            yield Parcel(
                sent_on=day,
                number=sent.number,
                contents=items,
                tags=list(sent.tags),
                largest=max(items, key=lambda item: item.pieces, default=None),
                price=sent.price,
            )
