"""A Django model with a field of each kind that a column can come from, and extractors of its rows."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connections, models

from exporter import ExtractorType, QuerySetExtractor, sq_field
from exporter.days import window
from exporter.errors import ExtractionError
from exporter.reading import batches_of, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django_stubs_ext.db.models import TypedModelMeta

    from exporter.days import Window
else:
    TypedModelMeta = object

NEW_YORK = ZoneInfo("America/New_York")
DAY = window(date(2025, 1, 15), NEW_YORK)


class Size(StrEnum):
    SMALL = "s"
    LARGE = "large"


class Item(models.Model):
    """One of each, and the same that can be NULL."""

    at = models.DateTimeField()
    flag = models.BooleanField()
    small = models.SmallIntegerField()
    whole = models.BigIntegerField()
    real = models.FloatField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    code = models.CharField(max_length=9)
    text = models.TextField()
    size = models.CharField(max_length=9, choices=[(size.value, size.name) for size in Size])
    color = models.SlugField()
    unique = models.UUIDField()
    data = models.BinaryField()
    day = models.DateField()
    seen = models.DateTimeField()
    clock = models.TimeField()
    mapping = models.JSONField()
    listing = models.JSONField()
    maybe_flag = models.BooleanField(null=True)
    maybe_small = models.SmallIntegerField(null=True)
    maybe_whole = models.BigIntegerField(null=True)
    maybe_real = models.FloatField(null=True)
    maybe_price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    maybe_amount = models.DecimalField(max_digits=38, decimal_places=9, null=True)
    maybe_code = models.CharField(max_length=9, null=True)  # noqa: DJ001 - NULL is what is tested
    maybe_text = models.TextField(null=True)  # noqa: DJ001 - as above
    maybe_size = models.CharField(max_length=9, null=True)  # noqa: DJ001 - as above
    maybe_color = models.SlugField(null=True)  # noqa: DJ001 - as above
    maybe_unique = models.UUIDField(null=True)
    maybe_data = models.BinaryField(null=True)
    maybe_day = models.DateField(null=True)
    maybe_seen = models.DateTimeField(null=True)
    maybe_clock = models.TimeField(null=True)
    maybe_mapping = models.JSONField(null=True)
    maybe_listing = models.JSONField(null=True)

    objects: ClassVar[models.Manager[Item]] = models.Manager()

    class Meta(TypedModelMeta):  # named, or mypy does not find it in its cache
        app_label = "stock"

    def __str__(self) -> str:
        return f"{self.pk}"


class Note(models.Model):
    """Of an item."""

    at = models.DateTimeField()
    item = models.ForeignKey(Item, models.CASCADE)

    objects: ClassVar[models.Manager[Note]] = models.Manager()

    class Meta(TypedModelMeta):
        app_label = "stock"

    def __str__(self) -> str:
        return f"{self.pk}"


ANNOTATIONS: dict[str, Any] = {
    "at": datetime,
    "flag": bool,
    "small": int,
    "whole": int,
    "real": float,
    "price": Decimal,
    "amount": Decimal,
    "code": str,
    "text": str,
    "size": Size,
    "color": Literal["red", "green"],
    "unique": uuid.UUID,
    "data": bytes,
    "day": date,
    "seen": datetime,
    "clock": time,
    "mapping": dict,
    "listing": list[Any],
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "price": {"precision": 10, "scale": 2},
    "amount": {"precision": 38, "scale": 9},
    "real": {"allow_nan": True},
}
ITEM = make_dataclass(
    "ItemRow",
    [
        *((name, annotation, sq_field(**_OPTIONS.get(name, {}))) for name, annotation in ANNOTATIONS.items()),
        *(
            (f"maybe_{name}", annotation | None, sq_field(**_OPTIONS.get(name, {})))
            for name, annotation in ANNOTATIONS.items()
            if name != "at"
        ),
    ],
)
FIELDS = tuple(field.name for field in dataclasses.fields(ITEM))

PLAIN: dict[str, Any] = {
    "at": datetime(2025, 1, 15, 12, 30, tzinfo=UTC),
    "flag": True,
    "small": -7,
    "whole": 2**63 - 1,
    "real": 0.1,
    "price": Decimal("12.34"),
    "amount": Decimal("1.5"),
    "code": "é",
    "text": "two\nlines",
    "size": "large",
    "color": "red",
    "unique": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "data": b"\x00\xff",
    "day": date(2024, 2, 29),
    "seen": datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    "clock": time(23, 59, 59, 999999),
    "mapping": {"b": 1.0, "a": [None, "ü"]},
    "listing": [1, {"two": 3}],
}
"""Values of an item."""


class ItemExtractor(QuerySetExtractor[Any]):
    """Of what a test asks of the items."""

    queryset: ClassVar[Callable[[models.QuerySet[Item]], Any]]
    row_class: ClassVar[type] = ITEM
    date_field: ClassVar[str] = "at"

    def get_dataclass(self) -> type[Any]:
        return self.row_class

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_date_field(self) -> str:
        return self.date_field

    def get_table_name(self) -> str:
        return "item"

    def get_database(self) -> str:
        return "shop"

    def get_queryset(self, date_start: datetime, date_end: datetime) -> Any:
        return type(self).queryset(Item.objects.filter(at__gte=date_start, at__lt=date_end))


@dataclass
class Sale:
    """Of an item."""

    at: datetime
    small: int


class SaleExtractor(QuerySetExtractor[Sale]):
    """All items of a day, in their order."""

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_date_field(self) -> str:
        return "at"

    def get_database(self) -> str:
        return "shop"

    def get_queryset(self, date_start: datetime, date_end: datetime) -> Any:
        return Item.objects.filter(at__gte=date_start, at__lt=date_end).order_by("at", "pk").values("at", "small")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Days that were read, and why rows of Python's were needed."""

    tables: tuple[Any, ...] = ()
    """Arrow's, of the days before the one that was refused."""
    message: str = ""
    """Refuses a row."""
    reasons: tuple[str, ...] = ()

    @property
    def table(self) -> Any:
        """Of the only day."""
        (table,) = self.tables
        return table

    @property
    def content(self) -> str:
        """To compare it by: written, NaN is the same as NaN, and 0.0 is another thing than -0.0."""
        return "\n".join([*(f"{table.schema}\n{table.to_pylist()}" for table in self.tables), self.message])


def read(extractor: QuerySetExtractor[Any], *, by_rows: bool, days: Sequence[Window] = (DAY,)) -> Read:
    """As an export reads them, once more by rows where it is to be."""
    batches, reasons, tables = batches_of(extractor), list[str](), list[Any]()
    try:
        with reading(extractor, batches, days, reasons.append, by_rows=by_rows) as of_day:
            for day in days:
                found = list(of_day(day))
                for batch in found:
                    batch.validate(full=True)
                tables.append(pa.Table.from_batches(found, batches.schema).combine_chunks())
    except ExtractionError as error:
        return Read(tables=tuple(tables), message=str(error), reasons=tuple(reasons))
    return Read(tables=tuple(tables), reasons=tuple(reasons))


def make_items(alias: str) -> None:
    """The empty table."""
    if Item._meta.db_table in connections[alias].introspection.table_names():
        with connections[alias].schema_editor() as editor:
            editor.delete_model(Item)
    with connections[alias].schema_editor() as editor:
        editor.create_model(Item)


def put(alias: str, *items: dict[str, Any]) -> None:
    """Instead of those that are there."""
    Item.objects.using(alias).all().delete()
    Item.objects.using(alias).bulk_create(Item(**{**PLAIN, **item}) for item in items)


TICK = timedelta(microseconds=1)
