"""What get_queryset() may return, and what is said of the rest: by rows and through ADBC alike."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import Count, F, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

from exporter import BaseExtractor, QuerySetExtractor
from exporter_cases.stock import DAY, Item, ItemExtractor, make_items, put, read
from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exporter_cases.stock import Read

    MakeAlias = Callable[[str, dict[str, Any]], str]

NOON = datetime(2025, 1, 15, 12, 30, tzinfo=UTC)


@dataclass
class Row:
    at: datetime
    small: int
    code: str | None


@dataclass(kw_only=True)
class KeywordRow(Row):
    pass


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, make_alias: MakeAlias, tmp_path: Path) -> None:
    if request.param == "sqlite":
        make_alias("shop", database(str(tmp_path / "shop.sqlite3")))
    else:
        make_alias("shop", request.getfixturevalue("postgresql"))
    make_items("shop")
    put("shop", *({"small": number, "code": f"C{number % 2}"} for number in range(4)))


@pytest.fixture(autouse=True)
def _row_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemExtractor, "row_class", Row)


def both(queryset: Callable[[Any], Any]) -> Read:
    """Read in both ways, with one result."""
    ItemExtractor.queryset = queryset
    direct, rows = read(ItemExtractor(), by_rows=False), read(ItemExtractor(), by_rows=True)
    assert direct.content == rows.content
    return direct


def numbers(found: Read) -> list[int]:
    """Of rows that no row of Python's was part of."""
    assert (found.message, found.reasons) == ("", ())
    listed: list[int] = found.table.column("small").to_pylist()
    return listed


ORDERED = ("small", "at", "code")

QUERYSETS: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "values_list": (lambda items: items.order_by("pk").values_list("at", "small", "code"), [0, 1, 2, 3]),
    "in another order": (lambda items: items.order_by("-pk").values_list(*ORDERED), [3, 2, 1, 0]),
    "named": (lambda items: items.order_by("pk").values_list(*ORDERED, named=True), [0, 1, 2, 3]),
    "values": (lambda items: items.order_by("pk").values(*ORDERED), [0, 1, 2, 3]),
    "renamed": (
        lambda items: items.order_by("pk").values("small", "at", "code"),
        [0, 1, 2, 3],
    ),
    "models": (lambda items: items.order_by("pk"), [0, 1, 2, 3]),
    "models with some fields": (lambda items: items.order_by("pk").only("text").defer("code"), [0, 1, 2, 3]),
    "models with all annotations": (lambda items: items.order_by("pk").annotate(n=F("whole")), [0, 1, 2, 3]),
    "sliced": (lambda items: items.order_by("pk").values_list(*ORDERED)[1:3], [1, 2]),
    "sliced from behind": (lambda items: items.order_by("pk").values(*ORDERED)[2:], [2, 3]),
    "distinct": (lambda items: items.order_by("small").values_list(*ORDERED).distinct(), [0, 1, 2, 3]),
    "united": (
        lambda items: (
            items.filter(small=0)
            .values_list(*ORDERED)
            .union(items.filter(small__gte=2).values_list(*ORDERED))
            .order_by("small")
        ),
        [0, 2, 3],
    ),
    "united models": (lambda items: items.filter(small=1).union(items.filter(small=3)).order_by("small"), [1, 3]),
    "united with nothing": (
        lambda items: items.none().values_list(*ORDERED).union(items.filter(small=1).values_list(*ORDERED)),
        [1],
    ),
    "with prefetches": (lambda items: items.order_by("pk").prefetch_related("anything"), [0, 1, 2, 3]),
    "of the first": (lambda items: items.order_by("pk").values(*ORDERED).reverse()[:1], [3]),
    "except": (
        lambda items: items.values(*ORDERED).difference(items.filter(small__gt=1).values(*ORDERED)).order_by("small"),
        [0, 1],
    ),
    "with all lookups": (
        lambda items: (
            items.filter(code__startswith="C", code__icontains="c", text__contains="o\nl")
            .exclude(code__endswith="1")
            .order_by("pk")
            .values(*ORDERED)
        ),
        [0, 2],
    ),
    "none": (lambda items: items.none(), []),
    "none that can be": (lambda items: items.filter(pk__in=[]).values(*ORDERED), []),
    "no rows": (lambda items: items.filter(small=9).values(*ORDERED), []),
    "grouped": (
        lambda items: items.values("code", "at").annotate(small=Count("pk")).order_by("code"),
        [2, 2],
    ),
    "with a percent sign that matches": (
        lambda items: items.filter(code__contains="%").values(*ORDERED),
        [],
    ),
    "with a percent sign": (lambda items: items.exclude(code="100%").order_by("pk").values(*ORDERED), [0, 1, 2, 3]),
    "with parameters": (
        lambda items: (
            items.filter(code__in=["C1", "'; --", '"', "\\"], small__lt=3, data=b"\x00\xff", flag=True)
            .order_by("pk")
            .values(*ORDERED)
        ),
        [1],
    ),
}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("queryset", "expected"), QUERYSETS.values(), ids=QUERYSETS)
def test_querysets_that_are_read_without_rows(queryset: Callable[[Any], Any], expected: list[int]) -> None:
    assert numbers(both(queryset)) == expected


@pytest.mark.usefixtures("shop")
def test_a_queryset_that_was_evaluated_is_asked_again() -> None:
    def evaluated(items: Any) -> Any:
        found = items.using("shop").order_by("pk").values(*ORDERED)
        assert len(found) == 4
        return found

    assert numbers(both(evaluated)) == [0, 1, 2, 3]


class Doubling(QuerySet[Any, Any]):
    def iterator(self, chunk_size: int | None = None) -> Any:
        for row in super().iterator(chunk_size):
            yield from (row, row)


@pytest.mark.usefixtures("shop")
def test_a_queryset_that_iterates_in_its_own_way() -> None:
    found = both(lambda items: Doubling(items.model, items.query).order_by("pk").values(*ORDERED))

    assert found.table.column("small").to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found.reasons == ("read row by row, not through ADBC: its QuerySet has an iterator() of its own.",)


@pytest.mark.usefixtures("shop")
def test_keyword_only_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(kw_only=True, slots=True, frozen=True)
    class Keywords:
        code: str | None
        small: int = 7
        at: datetime

    monkeypatch.setattr(ItemExtractor, "row_class", Keywords)

    assert numbers(both(lambda items: items.order_by("pk").values(*ORDERED))) == [0, 1, 2, 3]


MISSING = "Select exactly the fields of the dataclass, in any order, e.g. .values_list('at', 'small', 'code'); "
MISSING += ".values(field=F('column')) renames a column."
MEND = "What was read of this day is not exported. Mend the extractor or its database, then run the command again."
RETURN = "Return Model.objects.filter(…), for a day without rows Model.objects.none()."

REFUSED: dict[str, tuple[Callable[[Any], Any], str | None]] = {
    "None": (lambda _items: None, f"get_queryset() returned None instead of a QuerySet.\n  {RETURN}"),
    "a list": (
        lambda items: list(items.using("shop")),
        f"get_queryset() returned list instead of a QuerySet.\n  {RETURN}",
    ),
    "a model": (
        lambda items: items.using("shop").first(),
        f"get_queryset() returned Item instead of a QuerySet.\n  {RETURN}",
    ),
    "raw": (
        lambda _items: Item.objects.raw("SELECT 1"),
        f"get_queryset() returned RawQuerySet instead of a QuerySet.\n  {RETURN}",
    ),
    "a model's class": (
        lambda _items: Item,
        f"get_queryset() returned the class Item instead of a QuerySet.\n  {RETURN}",
    ),
    "a manager": (
        lambda _items: Item.objects,
        "get_queryset() returned Manager instead of a QuerySet.\n"
        "  Call .all() or .filter(…) on it, for a day without rows Model.objects.none().",
    ),
    "missing": (lambda items: items.values("at", "code"), f"get_queryset() does not select small.\n  {MISSING}"),
    "extra": (
        lambda items: items.values(*ORDERED, "text", n=F("whole")),
        f"get_queryset() selects text, n, which the dataclass does not have.\n  {MISSING}",
    ),
    "missing and extra": (
        lambda items: items.values_list("at", "code", Lower("text")),
        f"get_queryset() does not select small; selects lower1, which the dataclass does not have.\n  {MISSING}",
    ),
    "all fields": (
        lambda items: items.defer("text").values(),
        None,
    ),
    "twice": (
        lambda items: items.values(*ORDERED, "at"),
        f"get_queryset() selects at more than once.\n  {MISSING}",
    ),
    "flat": (
        lambda items: items.values_list("at", flat=True),
        f"get_queryset() does not select small, code.\n  {MISSING}",
    ),
    "another database": (
        lambda _items: Item.objects.using("default").values(*ORDERED),
        "get_queryset() reads DATABASES['default'], and get_database() says 'shop'.\n"
        "  Return 'default' from get_database(), or leave .using(…) out.",
    ),
    "an error": (
        lambda items: items.values(*ORDERED)[:-1],
        f"get_queryset() raised ValueError: Negative indexing is not supported.\n  {MEND}",
    ),
}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("queryset", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_why(queryset: Callable[[Any], Any], message: str | None) -> None:
    found = both(queryset)

    begin = f"exporter_cases.stock.ItemExtractor, {DAY.day}: "
    assert found.message.startswith(begin)
    if message is not None:
        assert found.message == begin + message


@pytest.mark.usefixtures("shop")
def test_get_queryset_that_raises_is_asked_once() -> None:
    asked = []

    def queryset(items: Any) -> Any:
        asked.append(items)
        raise LookupError("no tenant")

    ItemExtractor.queryset = queryset

    found = read(ItemExtractor(), by_rows=False)

    assert found.message == (
        f"exporter_cases.stock.ItemExtractor, {DAY.day}: get_queryset() raised LookupError: no tenant.\n  {MEND}"
    )
    assert (len(asked), found.reasons) == (1, ())


@pytest.mark.usefixtures("shop")
def test_a_query_that_fails_is_told_as_reading() -> None:
    found = both(lambda items: items.order_by(RawSQL("never", ())).values(*ORDERED))

    begin = f"exporter_cases.stock.ItemExtractor, {DAY.day}: reading its QuerySet raised "
    assert found.message.startswith(begin)
    assert found.message.endswith(f"\n  {MEND}")


@pytest.mark.usefixtures("shop")
def test_models_without_a_field_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Other:
        at: datetime
        nothing: int
        never: int

    monkeypatch.setattr(ItemExtractor, "row_class", Other)

    found = both(lambda items: items)

    assert found.message.splitlines()[0] == (
        f"exporter_cases.stock.ItemExtractor, {DAY.day}: get_queryset() does not select nothing, never."
    )


@dataclass
class Converted(Row):
    def __post_init__(self) -> None:
        self.small *= 10


@dataclass
class Defaulted(Row):
    total: int = field(init=False, default=5)


@dataclass
class Picky(Row):
    def __post_init__(self) -> None:
        if self.small == 2:
            raise ValueError("no twos")


@pytest.mark.usefixtures("shop")
def test_a_dataclass_that_refuses_a_row_is_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemExtractor, "row_class", Picky)

    found = both(lambda items: items.order_by("pk").values(*ORDERED))

    assert found.message == (
        f"exporter_cases.stock.ItemExtractor, {DAY.day}: Picky() raised ValueError: no twos.\n  {MEND}"
    )


def tenfold(row_class: type[Row]) -> type[Row]:
    """As pydantic and others do it: `__init__` itself computes."""
    init = row_class.__init__

    @functools.wraps(init)
    def wrapper(self: Row, at: datetime, small: int, code: str | None) -> None:
        init(self, at, small * 10, code)

    row_class.__init__ = wrapper  # type: ignore[method-assign] # as a decorator does
    return row_class


@tenfold
@dataclass
class Decorated(Row):
    pass


@dataclass
class Own(Row):
    def __init__(self, at: datetime, small: int, code: str | None) -> None:
        self.at, self.small, self.code = at, small * 10, code


class Tenfold(type):
    def __call__(cls, at: datetime, small: int, code: str | None) -> Any:
        return super().__call__(at, small * 10, code)


@dataclass
class Made(Row, metaclass=Tenfold):
    pass


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("row_class", "first"),
    [
        (Converted, [0, 10, 20, 30]),
        (Defaulted, [0, 1, 2, 3]),
        (Decorated, [0, 10, 20, 30]),
        (Made, [0, 10, 20, 30]),
        (Own, [0, 10, 20, 30]),
    ],
)
def test_dataclasses_that_compute_are_read_by_rows(
    monkeypatch: pytest.MonkeyPatch, row_class: type, first: list[int]
) -> None:
    monkeypatch.setattr(ItemExtractor, "row_class", row_class)

    found = both(lambda items: items.order_by("pk").values(*ORDERED))

    assert found.table.column("small").to_pylist() == first
    assert found.reasons == (f"read row by row, not through ADBC: {row_class.__name__} computes its fields.",)


@pytest.mark.usefixtures("shop")
def test_an_extract_of_its_own_is_what_counts() -> None:
    class Doubled(ItemExtractor):
        def extract(self, date_start: datetime, date_end: datetime) -> Any:
            for row in super().extract(date_start, date_end):
                yield from (row, row)

    ItemExtractor.queryset = lambda items: items.order_by("pk").values(*ORDERED)

    found = read(Doubled(), by_rows=False)

    assert found.table.column("small").to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found.reasons == ("read row by row, not through ADBC: extract() is overridden.",)


def test_it_is_an_extractor_without_a_queryset_only_in_part() -> None:
    assert issubclass(QuerySetExtractor, BaseExtractor)
    assert QuerySetExtractor.__abstractmethods__ == {"get_extractor_type", "get_queryset"}
