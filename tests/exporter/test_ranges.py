"""Small days that follow each other are read by one statement, and each has the same rows as when it is read alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import make_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    FloatField,
    IntegerField,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Abs, Cast, Lower, RowNumber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter import adbc_sqlite, asked, ranges
from exporter.adbc import ArrowReader
from exporter.days import window
from exporter_cases.stock import NEW_YORK, TICK, Item, ItemExtractor, put, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.days import Window as Day
    from exporter_cases.stock import Read

    MakeAlias = Callable[[str, dict[str, Any]], str]

DAYS = [window(date(2025, 3, 1) + timedelta(days=number), NEW_YORK) for number in range(24)]
"""One has 23 hours."""
IN_ONE = 5
"""Statements, of more days as it is known of more how small they are: of 1, thrice 4, and the other 11."""
COLUMNS = {"instant": F("at"), "number": F("small"), "words": F("text")}
BY_ROWS = "read row by row, not through ADBC: "


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """That the database was asked for rows by."""
    ask, found = ArrowReader.ask, list[str]()

    def noted(reader: ArrowReader, sql: str, params: Any = ()) -> None:
        found.append(sql)
        ask(reader, sql, params)

    monkeypatch.setattr(ArrowReader, "ask", noted)
    return found


@pytest.fixture(autouse=True)
def _columns(monkeypatch: pytest.MonkeyPatch) -> None:
    row_class = make_dataclass("Row", [("instant", datetime), ("number", int), ("words", str)])
    monkeypatch.setattr(ItemExtractor, "row_class", row_class)
    monkeypatch.setattr(ItemExtractor, "date_field", "instant")


@pytest.fixture
def ask_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """What the QuerySet of a day is, of its bounds."""

    def ask_for(queryset: Callable[..., Any]) -> None:
        monkeypatch.setattr(ItemExtractor, "get_queryset", lambda _extractor, start, end: queryset(start, end))

    return ask_for


def of_day(start: datetime, end: datetime) -> QuerySet[Item]:
    return Item.objects.filter(at__gte=start, at__lt=end)


def both(days: Sequence[Day] = DAYS) -> Read:
    """Read in both ways. The rows of a day that is not ordered may come in any order."""
    found, rows = (read(ItemExtractor(), by_rows=by_rows, days=days) for by_rows in (False, True))
    assert found.message == rows.message
    assert [_counted(table) for table in found.tables] == [_counted(table) for table in rows.tables]
    return found


def _counted(table: Any) -> Counter[str]:
    return Counter(f"{row}" for row in table.to_pylist())


def some_rows() -> None:
    """In no order, none on some days, and on both sides of each midnight."""
    ats = [
        at
        for number, day in enumerate(DAYS)
        for at in (day.start, day.start + TICK, day.start + timedelta(hours=9), day.end - TICK)[: number % 5]
    ]
    put("shop", *({"at": at, "small": place % 7} for place, at in reversed(list(enumerate(ats)))))


JOINED: dict[str, Callable[[datetime, datetime], Any]] = {
    "no order": lambda start, end: of_day(start, end).values(**COLUMNS),
    "a list": lambda start, end: (
        of_day(start, end).annotate(**COLUMNS).order_by("instant").values_list("words", "instant", "number")
    ),
    "ordered": lambda start, end: of_day(start, end).order_by("at", "-small").values(**COLUMNS),
    "more conditions": lambda start, end: (
        of_day(start, end).filter(Q(small__gt=1) | Q(text="x"), code="é").exclude(small=5).values(**COLUMNS)
    ),
    "expressions": lambda start, end: of_day(start, end).values(
        instant=F("at"), number=Case(When(small__gt=3, then=1), default=F("small") * 2), words=Lower("code")
    ),
    "a subquery in a condition": lambda start, end: (
        of_day(start, end)
        .filter(small__lte=Subquery(Item.objects.values("color").annotate(most=Max("small")).values("most")[:1]))
        .values(**COLUMNS)
    ),
}


@pytest.mark.parametrize("queryset", JOINED.values(), ids=JOINED)
@pytest.mark.usefixtures("shop")
def test_days_are_read_by_one_statement(
    statements: list[str], ask_for: Callable[..., None], queryset: Callable[..., Any]
) -> None:
    some_rows()
    ask_for(queryset)

    assert both().reasons == ()
    assert len(statements) == IN_ONE


ALONE: dict[str, Callable[[datetime, datetime], Any]] = {
    "another order": lambda start, end: of_day(start, end).order_by("small").values(**COLUMNS),
    "the other way round": lambda start, end: of_day(start, end).order_by("-at").values(**COLUMNS),
    "groups": lambda start, end: (
        of_day(start, end).values(instant=F("at"), words=F("text")).annotate(number=Count("pk"))
    ),
    "distinct": lambda start, end: of_day(start, end).distinct().values(**COLUMNS),
    "sliced": lambda start, end: of_day(start, end).order_by("at", "pk")[:2].values(**COLUMNS),
    "united": lambda start, end: of_day(start, end).values(**COLUMNS).union(of_day(start, end).values(**COLUMNS)),
    "numbered": lambda start, end: of_day(start, end).values(
        instant=F("at"), words=F("text"), number=Window(RowNumber(), order_by=[F("at").asc(), F("pk").asc()])
    ),
    "chosen by number": lambda start, end: (
        of_day(start, end)
        .annotate(place=Window(RowNumber(), order_by=[F("at").asc(), F("pk").asc()]))
        .filter(place__lte=2)
        .values(**COLUMNS)
    ),
    "SQL": lambda start, end: of_day(start, end).values(
        instant=F("at"), words=F("text"), number=RawSQL("small + 1", (), IntegerField())
    ),
    "a subquery": lambda start, end: of_day(start, end).values(
        instant=F("at"), words=F("text"), number=Subquery(Item.objects.filter(pk=OuterRef("pk")).values("small"))
    ),
    "the day in a column": lambda start, end: of_day(start, end).values(
        instant=F("at"), number=F("small"), words=Value(f"{start.date()}", TextField())
    ),
    "the day in a condition": lambda start, end: of_day(start, end).exclude(text=f"{start.date()}").values(**COLUMNS),
    "the day in a subquery": lambda start, end: (
        of_day(start, end).filter(~Exists(Item.objects.filter(at__gte=start, at__lt=OuterRef("at")))).values(**COLUMNS)
    ),
    "a constant that is equal, and another": lambda start, end: of_day(start, end).values(
        instant=F("at"), number=F("small"), words=Cast(Value((-1) ** start.day * 0.0, FloatField()), TextField())
    ),
    "a function of another template": lambda start, end: of_day(start, end).values(
        instant=F("at"), words=F("text"), number=Abs("small", template="ROW_NUMBER() OVER (ORDER BY %(expressions)s)")
    ),
    "other rows of days before, too": lambda start, end: (
        Item.objects.filter(Q(at__gte=start) | Q(small=99), at__lt=end).filter(at__gte=start).values(**COLUMNS)
    ),
    "its end included": lambda start, end: Item.objects.filter(at__gte=start, at__lte=end - TICK).values(**COLUMNS),
    "two columns": lambda start, end: (
        of_day(start, end).filter(seen__gte=start - timedelta(days=99_99)).values(**COLUMNS)
    ),
    "not the column": lambda start, end: (
        Item.objects.filter(seen__gte=start - timedelta(days=30_000), seen__lt=end)
        .filter(at__range=(start, end - TICK))
        .values(**COLUMNS)
    ),
}


@pytest.mark.usefixtures("sqlite_shop")
def test_a_parameter_of_another_type_may_be_computed_otherwise(
    ask_for: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version", "3.0.0")
    some_rows()
    ask_for(
        lambda start, end: of_day(start, end).values(
            instant=F("at"), number=F("small"), words=Cast(Value(1 if start.day % 2 else 0.1), TextField())
        )
    )

    (reason,) = both().reasons

    assert reason.endswith("may differ in cast.")


@pytest.mark.parametrize("queryset", ALONE.values(), ids=ALONE)
@pytest.mark.usefixtures("shop")
def test_days_that_could_have_other_rows_are_read_alone(
    statements: list[str],
    ask_for: Callable[..., None],
    queryset: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adbc_sqlite, "difference", lambda *_: None)  # to write floats is another matter
    some_rows()
    ask_for(queryset)

    assert both().reasons == ()
    assert len(statements) == len(DAYS)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("values", [(True, 1), (1, True), (Decimal(1), 1), (1, Decimal(1))])
def test_constants_that_python_finds_equal_are_not_alike(values: tuple[Any, Any], ask_for: Callable[..., None]) -> None:
    some_rows()
    ask_for(
        lambda start, end: of_day(start, end).values(
            instant=F("at"), number=Value(values[start.day % 2]), words=F("text")
        )
    )

    assert both().message != ""


@pytest.mark.usefixtures("shop")
def test_a_day_of_another_queryset_is_read_alone(statements: list[str], ask_for: Callable[..., None]) -> None:
    some_rows()

    def queryset(start: datetime, end: datetime) -> Any:
        items = of_day(start, end)
        if start == DAYS[15].start:
            items = items.filter(small=2)
        if start == DAYS[18].start:
            items = items.none()
        return items.values(**COLUMNS)

    ask_for(queryset)

    assert both().reasons == ()
    # As many as before until the 13th, the next 2, one, 2, and those after the day without rows.
    assert len(statements) == 8


@pytest.mark.usefixtures("shop")
def test_a_range_that_begins_at_the_second_of_two_midnights(ask_for: Callable[..., None]) -> None:
    """In Havana, on 2025-11-02. Its two datetimes are equal."""
    havana = ZoneInfo("America/Havana")
    days = [window(date(2025, 10, 20) + timedelta(days=number), havana) for number in range(20)]
    put("shop", *({"at": day.start + timedelta(minutes=half * 30)} for day in days for half in range(4)))
    ask_for(lambda start, end: of_day(start.replace(fold=1), end).values(**COLUMNS))

    found = both(days)

    assert found.reasons == ()
    assert [table.num_rows for table in found.tables] == [2 if day.day == date(2025, 11, 2) else 4 for day in days]


class IsoField(DateTimeField):  # type: ignore[type-arg] # that of its plugin knows no parameters here
    """As text."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's
        del connection, prepared
        return self.get_prep_value(value).isoformat()


class IsoItem(Model):
    """The items once more."""

    at = IsoField()
    small = IntegerField()
    text = TextField()

    class Meta:
        app_label = "stock"
        managed = False
        db_table = "stock_item"

    def __str__(self) -> str:
        return f"{self.pk}"


@pytest.mark.usefixtures("postgresql_shop")
def test_a_field_of_a_teams_own_binds_what_it_likes(statements: list[str], ask_for: Callable[..., None]) -> None:
    some_rows()
    ask_for(lambda start, end: IsoItem._default_manager.filter(at__gte=start, at__lt=end).values(**COLUMNS))

    assert both().reasons == ()
    assert len(statements) == len(DAYS)


@pytest.mark.usefixtures("shop")
def test_large_days_are_read_alone(
    statements: list[str], ask_for: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("shop", *({"at": day.start + number * TICK} for day in DAYS for number in range(4)))
    monkeypatch.setattr(asked, "_RANGE_ROWS", 7)
    ask_for(JOINED["no order"])

    assert both().reasons == ()
    assert len(statements) == len(DAYS)


@pytest.mark.usefixtures("shop")
def test_a_row_that_is_refused_leaves_the_days_before_it(statements: list[str], ask_for: Callable[..., None]) -> None:
    some_rows()
    Item.objects.using("shop").update(maybe_small=1)
    Item.objects.using("shop").filter(at=DAYS[19].start + TICK).update(maybe_small=None)
    ask_for(
        lambda start, end: of_day(start, end).order_by("at").values(**COLUMNS | {"number": F("maybe_small")}),
    )

    found = both()

    assert len(statements) == IN_ONE
    assert found.message == (
        "exporter_cases.stock.ItemExtractor, 2025-03-20, row 2, column number: None in a REQUIRED column.\n"
        "  Yield a value, in a QuerySet Coalesce(…), or annotate the field with `| None` and apply Terraform."
    )
    assert len(found.tables) == 19
    assert found.reasons == (f"{BY_ROWS}column number: NULL in a REQUIRED column.",)


SEVERAL = st.lists(st.tuples(st.integers(0, len(DAYS) - 1), st.sampled_from(["start", "end"]), st.integers(0, 2)))


@given(places=SEVERAL, batch=st.sampled_from([1, 100, 2_000_000]), shape=st.sampled_from(["no order", "ordered"]))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_each_row_is_in_its_day(
    shop: str,
    ask_for: Callable[..., None],
    places: list[tuple[int, str, int]],
    batch: int,
    shape: str,
) -> None:
    """However many a day has, wherever a batch of the driver's ends."""
    del shop
    put(
        "shop",
        *(
            {"at": DAYS[day].start + ticks * TICK if end == "start" else DAYS[day].end - (ticks + 1) * TICK}
            for day, end, ticks in places
        ),
    )
    ask_for(JOINED[shape])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exporter.adbc._BATCH_BYTES", batch)
        patch.setattr("exporter.adbc_sqlite._BATCH_ROWS", min(batch, 1_024))
        patch.setattr("exporter.adbc_postgresql._BATCH_BYTES", batch)

        assert both().reasons == ()


SQLITE_TEXTS = {
    "as ISO 8601 has it": ("2025-03-20T09:00:00", 0),
    "with fewer digits": ("2025-03-20 09:00:00.5", 0),
    "a date": ("2025-03-20", 0),
    "a zone": ("2025-03-20 09:00:00Z", 1),
    "no datetime": ("2025-03-20 noon", 1),
}


@pytest.mark.usefixtures("sqlite_shop")
@pytest.mark.parametrize(("text", "reasons"), SQLITE_TEXTS.values(), ids=SQLITE_TEXTS)
def test_what_sqlite_holds_and_django_would_not_write(
    statements: list[str], ask_for: Callable[..., None], text: str, reasons: int
) -> None:
    """A day that needs rows is read by them, from there on; those before it are not."""
    some_rows()
    with connections["shop"].cursor() as cursor:
        cursor.execute("UPDATE stock_item SET at = %s WHERE at = '2025-03-20 13:00:00'", [text])
        assert cursor.rowcount == 1
    ask_for(JOINED["no order"])

    found = both()

    assert len(statements) == IN_ONE
    assert len(found.reasons) == reasons
    assert all(reason.startswith(f"{BY_ROWS}column instant: Failed to parse string: ") for reason in found.reasons)


@pytest.mark.usefixtures("sqlite_shop")
def test_rows_in_another_order_are_not_taken_for_days(
    ask_for: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No database has given them so far."""
    some_rows()
    ask_for(JOINED["no order"])
    monkeypatch.setattr(ranges, "_in_order_of", lambda _column, _compiler, sql: sql)

    assert both().reasons == (f"{BY_ROWS}its rows are not in the order that was asked for.",)
