"""Values and databases that are not as Django would have them: the same rows, or the same message, as row by row."""

from __future__ import annotations

import re
import sys
import uuid
from dataclasses import make_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connections, transaction
from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    DateField,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    ExtractYear,
    Length,
    Lower,
    Mod,
    Power,
    TruncDate,
    TruncDay,
    Upper,
)

from exporter import direct_source, sq_field
from exporter_cases.stock import DAY, FIELDS, ITEM, PLAIN, Item, ItemExtractor, Note, make_items, put, read
from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from exporter_cases.stock import Read

    MakeAlias = Callable[[str, dict[str, Any]], str]

BY_ROWS = "read row by row, not through ADBC: "


@pytest.fixture(autouse=True)
def _all_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.order_by("pk"), raising=False)


def both(extractor: ItemExtractor | None = None) -> Read:
    """Read in both ways, with one result."""
    extractor = extractor or ItemExtractor()
    found, rows = read(extractor, by_rows=False), read(extractor, by_rows=True)
    assert found.content == rows.content
    return found


def run(sql: str, *params: Any) -> None:
    with connections["shop"].cursor() as cursor:
        cursor.execute(sql, params)


def update(column: str, sql: str) -> None:
    run(f'UPDATE stock_item SET "{column}" = {sql} WHERE small = 2')


def select(monkeypatch: pytest.MonkeyPatch, **columns: tuple[Any, Any]) -> None:
    """Let the rows have a column `at` and these: annotations, and the expressions that they are selected by."""
    fields = [("at", datetime), *((name, annotation) for name, (annotation, _) in columns.items())]
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Selected", fields))
    expressions = {name: expression for name, (_, expression) in columns.items()}
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.order_by("pk").values("at", **expressions))


def test_more_rows_than_a_batch_holds(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver for SQLite takes the type of a column from its first rows: they have NULL where they can."""
    del shop
    monkeypatch.setattr("exporter.adbc._BATCH_BYTES", 10_000)
    full = {f"maybe_{name}": value for name, value in PLAIN_MAYBE.items()}
    put("shop", *[{"small": number} for number in range(700)], *[full] * 700, {"real": 0.25}, {"real": 1.0})

    found = both()

    assert (found.message, found.reasons) == ("", ())
    assert found.table.num_rows == 1_402


PLAIN_MAYBE: dict[str, Any] = {
    "flag": False,
    "small": 1,
    "whole": -(2**63),
    "real": 2.0,
    "price": Decimal("99999999.99"),
    "amount": Decimal("-0.000000001"),
    "code": "",
    "text": "x" * 1_000,
    "size": "s",
    "color": "green",
    "unique": uuid.UUID(int=2**128 - 1),
    "data": b"",
    "day": date(1, 1, 1),
    "seen": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    "clock": time(0),
    "mapping": {},
    "listing": [],
}

SQLITE_ODD: dict[str, tuple[str, str]] = {
    "text in an integer": ("whole", "'abc'"),
    "a float in an integer": ("whole", "1.5"),
    "bytes in an integer": ("whole", "x'01'"),
    "text in a float": ("real", "'abc'"),
    "an infinite float": ("real", "9e999"),
    "text in a decimal": ("price", "'abc'"),
    "a decimal with more places": ("price", "12.345"),
    "a decimal with more digits": ("price", "123456789012.5"),
    "a decimal of many digits": ("amount", "0.1234567890123456"),
    "a decimal beyond all": ("amount", "1e40"),
    "a large integer in a decimal": ("amount", "9007199254740993"),
    "another boolean": ("flag", "2"),
    "text in a boolean": ("flag", "'true'"),
    "bytes in text": ("text", "x'616263'"),
    "bytes that are no text in text": ("text", "x'ff'"),
    "text that is not UTF-8": ("text", "CAST(x'ff' AS TEXT)"),
    "text with a NUL": ("text", "'a' || char(0) || 'b'"),
    "another size": ("size", "'medium'"),
    "another color": ("color", "'blue'"),
    "no UUID": ("unique", "'abc'"),
    "a UUID with dashes": ("unique", "'12345678-1234-5678-1234-567812345678'"),
    "a UUID in capitals": ("unique", "'ABCDEFAB123456781234567812345678'"),
    "text in bytes": ("data", "'abc'"),
    "no date": ("day", "'yesterday'"),
    "a date as a number": ("day", "20250101"),
    "a date before the calendar": ("day", "'0000-01-01'"),
    "a date with a time": ("day", "'2025-01-01 10:00:00'"),
    "no instant": ("seen", "'never'"),
    "an instant without a time": ("seen", "'2025-01-01'"),
    "an instant with a T": ("seen", "'2025-01-01T10:00:00'"),
    "an instant with a zone": ("seen", "'2025-01-01 10:00:00+02:00'"),
    "an instant with nanoseconds": ("seen", "'2025-01-01 10:00:00.123456789'"),
    "an instant with a tenth": ("seen", "'2025-01-01 10:00:00.5'"),
    "an instant as bytes": ("seen", "x'323032352d30312d30312031303a30303a3030'"),
    "no time": ("clock", "'noon'"),
    "a time of minutes": ("clock", "'10:30'"),
    "a time beyond the day": ("clock", "'24:00:00'"),
    "no JSON": ("mapping", "'{'"),
    "JSON that is no dict": ("mapping", "'[1]'"),
    "JSON with a long number": ("mapping", "'{\"a\": 123456789012345678901234567890}'"),
    "JSON with NaN": ("mapping", "'{\"a\": NaN}'"),
    "JSON with a surrogate": ("mapping", '\'{"a": "\\ud800"}\''),
    "JSON with spaces": ("mapping", '\'{ "b" :1,"a":1e2 , "a":  2}\''),
    "JSON null": ("maybe_mapping", "'null'"),
}


@pytest.mark.usefixtures("sqlite_shop")
@pytest.mark.parametrize("others", [0, 5])
@pytest.mark.parametrize(("column", "sql"), SQLITE_ODD.values(), ids=SQLITE_ODD)
def test_what_sqlite_holds_and_django_would_not_write(
    column: str, sql: str, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.adbc_sqlite._BATCH_ROWS", 2)
    put("shop", *[{"small": 1}] * others, {"small": 2}, {"small": 3})
    run("PRAGMA ignore_check_constraints = ON")
    update(column, sql)

    both()


POSTGRESQL_ODD: dict[str, tuple[str, str]] = {
    "NaN": ("real", "'NaN'"),
    "infinity": ("real", "'-Infinity'"),
    "a decimal that is none": ("maybe_amount", "'NaN'"),
    "a decimal of many digits": ("amount", "99999999999999999999999999999.999999999"),
    "another size": ("size", "'medium'"),
    "another color": ("color", "'blue'"),
    "a date before the calendar": ("day", "'0044-03-15 BC'"),
    "a date after it": ("day", "'12025-01-01'"),
    "an endless date": ("day", "'infinity'"),
    "an instant before the calendar": ("seen", "'0044-03-15 BC'"),
    "an instant after it": ("seen", "'12025-01-01'"),
    "an endless instant": ("seen", "'-infinity'"),
    "the last time": ("clock", "'24:00'"),
    "JSON that is no dict": ("mapping", "'[1]'"),
    "JSON with a long number": ("mapping", "'{\"a\": 123456789012345678901234567890}'"),
    "JSON with a number of many digits": ("mapping", '\'{"a": 1.10, "b": 1e400}\''),
    "JSON in other words": ("mapping", '\'{ "bb" :1.10,"a":1e2 , "a":  "\\u00fc\\u0001/\\/"}\''),
    "JSON null": ("maybe_mapping", "'null'"),
}


@pytest.mark.usefixtures("postgresql_shop")
@pytest.mark.parametrize(("column", "sql"), POSTGRESQL_ODD.values(), ids=POSTGRESQL_ODD)
def test_what_postgresql_holds_and_django_would_not_write(column: str, sql: str) -> None:
    put("shop", {"small": 1}, {"small": 2}, {"small": 3})
    update(column, sql)

    both()


UNREADABLE: dict[str, tuple[str, str, str]] = {
    "SQLite, text in a decimal": (
        "price",
        "'abc'",
        "'abc' cannot be read as DecimalField: argument must be int or float",
    ),
    "SQLite, too many digits": ("amount", "1e40", "1e+40 cannot be read as DecimalField: InvalidOperation"),
    "SQLite, no UUID": ("unique", "'abc'", "'abc' cannot be read as UUIDField: badly formed hexadecimal UUID string"),
    "SQLite, no time": ("clock", "'24:00:00'", "'24:00:00' cannot be read as TimeField: hour must be in 0..23"),
    "SQLite, no date": (
        "day",
        "'2025-02-30'",
        "'2025-02-30' cannot be read as DateField: day is out of range for month",
    ),
    "SQLite, no instant": (
        "seen",
        "'2025-13-01 10:00:00'",
        "'2025-13-01 10:00:00' cannot be read as DateTimeField: month must be in 1..12",
    ),
    "SQLite, not UTF-8": (
        "text",
        "CAST(x'61ff' AS TEXT)",
        "b'a\\xff' cannot be read as TextField: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte",
    ),
    "PostgreSQL, an endless date": (
        "day",
        "'infinity'",
        "'infinity' cannot be read as DateField: date too large (after year 10K): 'infinity'",
    ),
    "PostgreSQL, an instant before the calendar": (
        "seen",
        "'0044-03-15 12:00+00 BC'",
        "'0044-03-15 12:00:00+00 BC' cannot be read as DateTimeField: timestamp too small (before year 1): "
        "'0044-03-15 12:00:00+00 BC'",
    ),
    "PostgreSQL, the last time": (
        "clock",
        "'24:00'",
        "'24:00:00' cannot be read as TimeField: can't parse time '24:00:00': hour must be in 0..23",
    ),
}


@pytest.mark.parametrize("adbc", [True, False])
@pytest.mark.parametrize("case", UNREADABLE)
def test_a_value_that_cannot_be_read_is_named_with_its_row_and_column(
    case: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, *, adbc: bool
) -> None:
    request.getfixturevalue("sqlite_shop" if case.startswith("SQLite") else "postgresql_shop")
    if not adbc:
        monkeypatch.setattr(direct_source, "_SOURCES", {})
    column, sql, problem = UNREADABLE[case]
    put("shop", *[{"small": 1}] * 2_500, {"small": 2}, {"small": 3})
    update(column, sql)

    found = both()

    assert found.message == (
        f"exporter_cases.stock.ItemExtractor, {DAY.day}, row 2501, column {column}: {problem}.\n"
        "  Mend it in the database, or let get_queryset() leave its row out."
    )


@pytest.mark.usefixtures("sqlite_shop")
def test_text_that_is_read_as_none_is_not_the_value_that_cannot_be_read() -> None:
    put("shop", *({"small": number} for number in range(9)))
    run("UPDATE stock_item SET maybe_seen = 'never', maybe_day = 'no day' WHERE small = 1")
    run("UPDATE stock_item SET clock = '24:00:00' WHERE small = 6")

    found = both()

    assert found.message.startswith(f"exporter_cases.stock.ItemExtractor, {DAY.day}, row 7, column clock: '24:00:00' ")


@pytest.mark.usefixtures("postgresql_shop")
def test_a_value_that_cannot_be_read_beside_a_type_of_a_teams_own(monkeypatch: pytest.MonkeyPatch) -> None:
    run("DROP TYPE IF EXISTS mood")
    run("CREATE TYPE mood AS ENUM ('good')")
    put("shop", {"small": 1}, {"small": 2})
    update("day", "'infinity'")
    mood = RawSQL("'good'::mood", (), output_field=CharField())
    select(monkeypatch, mood=(str, mood), its_day=(date, F("day")))

    assert "row 2, column its_day: 'infinity' cannot be read as DateField: " in both().message


@pytest.mark.usefixtures("shop")
def test_a_value_that_cannot_be_read_in_rows_that_are_ordered_by_another_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("shop", {"small": 1, "code": "abc", "text": "1"}, {"small": 2, "code": "5", "text": "0"})
    number = Case(When(small__gt=0, then=F("code")), output_field=IntegerField())
    select(monkeypatch, number=(int, number))
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.order_by("text").values("at", number=number))

    found = both()

    assert found.message.startswith(
        f"exporter_cases.stock.ItemExtractor, {DAY.day}, row 2, column number: 'abc' cannot be read as IntegerField: "
    )


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("column", [name for name in FIELDS if not name.startswith("maybe_") and name != "at"])
def test_null_in_a_required_column_names_row_and_column(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    annotation = ITEM.__annotations__[column]
    put("shop", {"small": 1}, {"small": 2})
    name = f"maybe_{column}"
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Row", [("at", datetime), (name, annotation)]))
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.order_by("pk").values("at", name))

    found = both()

    assert found.message == (
        f"exporter_cases.stock.ItemExtractor, {DAY.day}, row 1, column maybe_{column}: None in a REQUIRED column.\n"
        "  Yield a value, in a QuerySet Coalesce(…), or annotate the field with `| None` and apply Terraform."
    )


@pytest.mark.usefixtures("shop")
def test_a_row_outside_the_window_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"small": 1}, {"small": 2}, {"small": 3, "at": DAY.end.astimezone(UTC)})
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.model.objects.order_by("pk").values(*FIELDS))

    found = both()

    assert found.message.startswith(f"exporter_cases.stock.ItemExtractor, {DAY.day}, row 3, column at: ")


@pytest.mark.usefixtures("shop")
def test_a_date_can_be_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"day": DAY.day}, {"day": DAY.day})
    monkeypatch.setattr(ItemExtractor, "date_field", "day")
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Days", [("day", date), ("small", int)]))

    assert both().reasons == ()


MATCHING: dict[str, tuple[Any, Any]] = {
    "an int for a float": (float, F("small")),
    "a large int for a float": (float, F("whole")),
    "a bool for an int": (int, F("flag")),
    "an int for a bool": (bool, F("small")),
    "a float for an int": (int, F("real")),
    "an int for a str": (str, F("small")),
    "an int for a Decimal": (Decimal, F("small")),
    "a Decimal for a float": (float, F("price")),
    "a str for a UUID": (uuid.UUID, F("code")),
    "a UUID for a str": (str, F("unique")),
    "a str for bytes": (bytes, F("code")),
    "a datetime for a date": (date, F("seen")),
    "a date for a datetime": (datetime, F("day")),
    "a dict for a str": (str, F("mapping")),
    "a list for a list": (list[int], F("listing")),
    "an int called a str": (str, Case(When(flag=True, then=F("small")), output_field=CharField())),
    "a str called an int": (int, Case(When(flag=True, then=F("code")), output_field=IntegerField())),
    "a float called an int": (int, Case(When(flag=True, then=F("real")), output_field=IntegerField())),
    "an int called a float": (float, Case(When(flag=True, then=F("small")), output_field=FloatField())),
    "a constant": (int, Value(5)),
    "a text": (str, Value("it's 100% %s")),
    "nothing": (int | None, Value(None, output_field=IntegerField())),
    "a condition": (bool, Q(small__gt=1)),
    "a sum": (int, F("small") + 1),
    "a quotient": (float, F("real") / 3),
    "a length": (int, Length("text")),
    "lower case": (str, Lower("text")),
    "upper case": (str, Upper("text")),
    "a cast": (str, Cast("small", CharField())),
    "a decimal that is computed": (Decimal, F("price") * 2),
    "a year": (int, ExtractYear("at")),
    "a date of an instant": (date, TruncDate("at")),
    "a day of an instant": (datetime, TruncDay("at")),
    "a power": (float, Power("real", Value(2))),
    "a remainder": (float, Mod("real", Value(2.0))),
    "a part of JSON": (str, F("mapping__c")),
    "a part of JSON that is a number": (float, F("mapping__b")),
    "an average": (float, Avg("small")),
    "a total": (int, Sum("whole")),
    "a total of decimals": (Decimal, Sum("price")),
    "a count": (int, Count("pk")),
}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("annotation", "expression"), MATCHING.values(), ids=MATCHING)
def test_expressions_of_all_kinds_for_columns_of_all_kinds(
    annotation: Any, expression: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = {"b": 1.5, "c": "text"}
    put("shop", *({"small": n, "whole": n, "real": n + 0.5, "mapping": mapping, "listing": [n]} for n in range(3)))
    select(monkeypatch, value=(annotation, expression))

    both()


READ_DIRECTLY = ["an int for a float", "a condition", "a sum", "lower case", "an average", "a total", "a count"]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("case", READ_DIRECTLY)
def test_common_expressions_need_no_rows(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"small": 1, "whole": 5})
    annotation, expression = MATCHING[case]
    select(monkeypatch, value=(annotation, expression))

    found = both()

    assert (found.message, found.reasons) == ("", ())


@pytest.mark.usefixtures("sqlite_shop")
def test_functions_that_a_team_adds_to_sqlite_are_seen_only_by_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"text": "É"})
    connections["shop"].connection.create_function("lower", 1, str.lower)
    select(monkeypatch, value=(str, Lower("text")))

    found = read(ItemExtractor(), by_rows=False)

    assert found.table.column("value").to_pylist() == ["é"]
    assert found.reasons == (f"{BY_ROWS}only Django's connection has lower().",)


# One SQLite or another: Python's driver and ADBC's bring each its own.

FLOATS: dict[str, tuple[tuple[Any, Any], str]] = {
    "a total": ((float, Sum("real")), "sum"),
    "an average": ((float, Avg("real")), "avg"),
    "a total of decimals": ((Decimal, Sum("price")), "cast"),
    "rounded": ((float, Func(F("real"), function="ROUND")), "round()"),
    "as text": ((str, Cast("real", CharField())), "cast"),
    "in a text": ((str, Concat(Value("€ "), "real", output_field=CharField())), "||"),
    "its length": ((int, Length("real")), "length"),
    "one that is bound, as text": ((str, Cast(Value(0.1), CharField())), "cast"),
    "one of SQL, as text": ((str, RawSQL("1.5 || ''", ())), "||"),
    "an average as text": ((str, Cast(Avg("small"), CharField())), "avg"),
    "a total of what is made one": ((float, Sum(Cast("whole", FloatField()))), "cast"),
    "a total of text": ((float, Sum("code", output_field=FloatField())), "sum"),
    "a total of a text's": ((float, Sum(F("code") * 1, output_field=FloatField())), "sum"),
    "an average of long integers": ((float, Avg("whole")), "avg"),
    "the text of what is made one": ((str, Cast(F("code") * F("small"), CharField())), "cast"),
    "a function that has come": (
        (str, Func(Value("-"), "text", function="concat_ws", output_field=CharField())),
        "concat_ws()",
    ),
}


@pytest.mark.usefixtures("sqlite_shop")
@pytest.mark.parametrize(("column", "place"), FLOATS.values(), ids=FLOATS)
def test_what_another_sqlite_may_compute_otherwise_is_read_by_rows(
    column: tuple[Any, Any], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version", "3.0.0")
    put("shop", *({"real": 0.1, "price": Decimal("0.1"), "small": n, "mapping": {"b": 1.5}} for n in range(10)))
    select(monkeypatch, value=column)

    (reason,) = both().reasons

    (of_adbc,) = re.findall(r"and ([0-9.]+) of ADBC's", reason)
    assert reason == (f"{BY_ROWS}SQLite 3.0.0 of Django's driver and {of_adbc} of ADBC's may differ in {place}.")


ALIKE: dict[str, tuple[Any, Any]] = {
    "a float": (float, F("real")),
    "a quotient": (float, F("real") / 3),
    "the largest": (float, Max("real")),
    "one or another": (float, Coalesce("real", 0.5)),
    "a total of integers": (int, Sum("whole")),
    "an average of integers": (float, Avg("small")),
    "a text": (str, Upper(Concat(Value("a"), "text", output_field=CharField()))),
    "a total of some": (int, Sum(Case(When(code="é", then=1), default=0))),
    "an average beside a total": (float, ExpressionWrapper(Avg("small") + Sum("small"), FloatField())),
    "a total of a subquery": (int, Subquery(Item.objects.values("color").annotate(n=Sum("whole")).values("n")[:1])),
    "a total, of a text": (int, Sum("whole", filter=Q(small__gt=0))),
    "what is calculated, as text": (str, Cast(F("small") * 2 + 1, CharField())),
}


@pytest.mark.usefixtures("sqlite_shop")
@pytest.mark.parametrize("column", ALIKE.values(), ids=ALIKE)
def test_what_every_sqlite_computes_alike_needs_no_rows(
    column: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version", "3.0.0")
    put("shop", {"small": 1, "whole": 5}, {"small": 2, "whole": 6})
    select(monkeypatch, value=column)

    assert both().reasons == ()


DECLARED: dict[str, tuple[tuple[Any, Any], str]] = {
    "a date as text": ((str, ExpressionWrapper(F("day"), CharField())), "date, which Django takes for CharField"),
    "an instant of a subquery": (
        (str, Subquery(Item.objects.filter(pk=OuterRef("pk")).values("seen"), output_field=CharField())),
        "datetime, which Django takes for CharField",
    ),
    "a bool as an int": (
        (int, ExpressionWrapper(F("flag"), IntegerField())),
        "bool, which Django takes for IntegerField",
    ),
    "a column of SQL": ((str, RawSQL('"stock_item"."day"', (), CharField())), "its type is not known"),
}


@pytest.mark.usefixtures("sqlite_shop")
@pytest.mark.parametrize(("column", "reason"), DECLARED.values(), ids=DECLARED)
def test_what_sqlites_driver_converts_by_its_declared_type(
    column: tuple[Any, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("shop", {"small": 1})
    select(monkeypatch, value=column)

    assert both().reasons == (f"{BY_ROWS}column value: {reason}.",)


@pytest.mark.usefixtures("shop")
def test_foreign_keys_and_what_they_lead_to_need_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is declared as a bigint, where Django takes it for what it points to."""
    with connections["shop"].schema_editor() as editor:
        editor.create_model(Note)
    try:
        put("shop", {"code": "a"}, {"code": "b"})
        notes = Note.objects.using("shop")
        notes.bulk_create(Note(at=PLAIN["at"], item=item) for item in Item.objects.using("shop"))
        fields: list[Any] = [("at", datetime), ("item_id", int), ("code", str), ("noted", bool), ("first", int)]
        monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Row", fields))
        noted = Exists(Note.objects.filter(item=OuterRef("item")))
        first = Subquery(Note.objects.filter(item=OuterRef("item")).order_by("pk").values("item")[:1])
        dear = notes.filter(item__price__gt=Decimal("0.5")).order_by("pk")
        columns = dear.values("at", "item_id", code=F("item__code"), noted=noted, first=first)
        monkeypatch.setattr(ItemExtractor, "queryset", lambda _items: columns)

        found = both()
    finally:
        with connections["shop"].schema_editor() as editor:
            editor.delete_model(Note)

    assert (found.table.column("code").to_pylist(), found.reasons) == (["a", "b"], ())


@pytest.mark.usefixtures("sqlite_shop")
def test_a_column_that_is_declared_in_another_way_than_djangos(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"code": "2025-01-01"})
    run("PRAGMA writable_schema = ON")
    run("UPDATE sqlite_master SET sql = replace(sql, '\"code\" varchar(9)', '\"code\" date') WHERE name = 'stock_item'")
    connections["shop"].close()
    select(monkeypatch, code=(str, F("code")))
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.values("at", "code"))

    found = both()

    assert "row 1, column code: date 2025-01-01 is not a str." in found.message
    assert found.reasons == (f"{BY_ROWS}column code: date, which Django takes for CharField.",)


# Databases and connections.


@pytest.mark.usefixtures("sqlite_shop")
def test_what_sqlites_driver_makes_of_text_is_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"text": "é"})
    connections["shop"].connection.text_factory = lambda found: found.decode("latin-1")
    select(monkeypatch, value=(str, F("text")))

    assert both().reasons == (f"{BY_ROWS}its driver makes something else of text or of a type.",)


def test_tables_of_the_session_alone_are_read_in_it(shop: str) -> None:
    put("shop", {"small": 1}, {"small": 2})
    table = "public.stock_item" if shop == "postgresql" else "main.stock_item"
    run(f"CREATE TEMPORARY VIEW stock_item AS SELECT * FROM {table} WHERE small = 1")

    found = read(ItemExtractor(), by_rows=False)  # once: SQLite's connection, and its view, end with the unit

    assert found.table is not None
    assert found.table.num_rows == 1
    session = "session" if shop == "postgresql" else "connection"
    assert found.reasons == (f"{BY_ROWS}its {session} has temporary tables or views.",)


@pytest.fixture
def tenants(request: pytest.FixtureRequest) -> Iterator[None]:
    """Who sees the items of one tenant alone, whom a setting names."""
    request.getfixturevalue("postgresql_shop")
    put("shop", {"small": 1}, {"small": 2}, {"small": 2})
    run("CREATE ROLE tenant")
    run("GRANT SELECT ON stock_item TO tenant")
    run("ALTER TABLE stock_item ENABLE ROW LEVEL SECURITY")
    run(
        "CREATE POLICY own ON stock_item TO tenant USING (small = NULLIF(current_setting('app.tenant', true), '')::int)"
    )
    yield
    run("RESET SESSION AUTHORIZATION")
    run("RESET ROLE")
    run("DROP TABLE stock_item CASCADE")
    run("DROP ROLE tenant")


@pytest.mark.usefixtures("tenants")
def test_settings_of_a_teams_own_hold() -> None:
    run("SET app.tenant = '2'")
    run("SET ROLE tenant")

    found = both()

    assert (found.table.num_rows, found.reasons) == (2, ())


@pytest.mark.usefixtures("tenants")
def test_a_session_that_is_authorized_as_another_is_read_itself() -> None:
    run("SET app.tenant = '2'")
    run("SET SESSION AUTHORIZATION tenant")

    found = both()

    assert found.table.num_rows == 2
    assert found.reasons == (f"{BY_ROWS}its session is authorized as tenant, who does not connect.",)


SESSIONS: dict[str, tuple[str, str]] = {
    "rounded floats": ("SET extra_float_digits = 0", "its session rounds floats (extra_float_digits)"),
    "a setting whose name is computed": (
        "CREATE FUNCTION own(text) RETURNS text LANGUAGE sql AS 'SELECT current_setting($1)'",
        "a function, view or policy asks for a setting whose name it computes",
    ),
}


@pytest.mark.parametrize(("sql", "reason"), SESSIONS.values(), ids=SESSIONS)
@pytest.mark.usefixtures("postgresql_shop")
def test_sessions_that_are_read_themselves(sql: str, reason: str) -> None:
    put("shop", {"real": 1 / 3})
    run(sql)
    try:
        assert both().reasons == (f"{BY_ROWS}{reason}.",)
    finally:
        run("DROP FUNCTION IF EXISTS own(text)")


@pytest.mark.usefixtures("postgresql_shop")
def test_what_a_driver_says_of_sql_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"text": "secret"})
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.filter(text="secret").select_for_update())

    (reason,) = read(ItemExtractor(), by_rows=False).reasons

    assert "cannot execute SELECT FOR UPDATE in a read-only transaction" in reason
    assert "secret" not in reason


@pytest.mark.usefixtures("postgresql_shop")
def test_a_query_that_asks_for_a_setting_is_asked_in_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {})
    run("SET app.tenant = '2'")
    select(monkeypatch, value=(str, RawSQL("current_setting(%s, true)", ("app.tenant",))))

    found = both()

    assert found.table.column("value").to_pylist() == ["2"]
    assert found.reasons == (f"{BY_ROWS}it asks for settings of its session.",)


@pytest.mark.parametrize("name", [":memory:", "file::memory:?cache=shared", "file:shop?mode=memory&cache=shared"])
def test_sqlite_in_memory_has_one_connection(make_alias: MakeAlias, name: str) -> None:
    make_alias("shop", {"ENGINE": "django.db.backends.sqlite3", "NAME": name})
    make_items("shop")
    put("shop", {}, {})

    found = both()

    assert found.table.num_rows == 2
    assert found.reasons == (f"{BY_ROWS}a database in memory has one connection.",)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("column", "options", "amounts"),
    [
        ("amount", {"precision": 76, "scale": 38}, [Decimal("-0.000000001"), Decimal(123_456), Decimal("99999.5")]),
        ("price", {"precision": 12, "scale": 4}, [Decimal("-0.01"), Decimal(12_345), Decimal("99999999.99")]),
        ("price", {"precision": 5, "scale": 2}, [Decimal("-0.01"), Decimal(12), Decimal("999.99")]),
        ("price", {"precision": 4, "scale": 2}, [Decimal("-0.01"), Decimal(12), Decimal("999.99")]),
        ("amount", {"precision": 9, "scale": 2}, [Decimal("0.5"), Decimal("0.123"), Decimal(1)]),
    ],
)
def test_decimals_for_columns_of_other_digits(
    column: str, options: dict[str, Any], amounts: list[Decimal], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("shop", *({column: amount} for amount in amounts))
    fields: list[Any] = [("at", datetime), (column, Decimal, sq_field(**options))]
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Row", fields))

    found = both()

    assert (found.message == "") == (found.reasons == ())


@pytest.mark.usefixtures("postgresql_shop")
@pytest.mark.parametrize(
    ("digits", "options"),
    [(30, {}), (37, {}), (39, {"precision": 76, "scale": 38}), (55, {"precision": 76, "scale": 38})],
)
def test_decimals_with_more_digits_than_a_column_has(
    digits: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow's cast of their text would make other numbers of them."""
    put("shop", {})
    number = "9" * digits
    value = RawSQL(f"{number}.5::numeric", (), output_field=DecimalField())
    fields: list[Any] = [("at", datetime), ("value", Decimal, sq_field(**options))]
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Row", fields))
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.values("at", value=value))

    found = both()

    whole = 38 if options else 29
    assert f"row 1, column value: {number}.5 has more than {whole} digits before the point." in found.message
    assert found.reasons == (f"{BY_ROWS}column value: not a number of up to {whole} digits before the point.",)


@pytest.mark.usefixtures("postgresql_shop")
def test_lists_of_postgresql_are_read_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {"small": 1}, {"small": 2})
    array = Func(F("small"), F("small"), template="ARRAY[%(expressions)s]", output_field=ArrayField(IntegerField()))
    select(monkeypatch, value=(list[int], array))

    found = both()

    assert found.table.column("value").to_pylist() == [[1, 1], [2, 2]]
    assert found.reasons == (f"{BY_ROWS}column value: REPEATED INTEGER.",)


CONNECTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a password": lambda found: {"PASSWORD": "it's \\ a 'pass word'", "USER": found["USER"]},
    "options": lambda found: {
        "OPTIONS": {
            **found["OPTIONS"],
            "application_name": "a 'b' \\ c",
            "options": "-c work_mem=8MB -c lock_timeout=1s",
        }
    },
    "a role": lambda found: {"OPTIONS": {**found["OPTIONS"], "assume_role": "pg_read_all_data"}},
    "a time zone": lambda _found: {"TIME_ZONE": "Asia/Kolkata"},
    "an isolation level": lambda found: {"OPTIONS": {**found["OPTIONS"], "isolation_level": 3}},
    "a service": lambda _found: {"NAME": "", "USER": "", "HOST": "", "PORT": "", "OPTIONS": {"service": "shop"}},
}


@pytest.mark.parametrize("change", CONNECTIONS.values(), ids=CONNECTIONS)
def test_the_settings_of_djangos_connection_hold(
    change: Callable[[dict[str, Any]], dict[str, Any]],
    make_alias: MakeAlias,
    postgresql: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = tmp_path / "service.conf"
    keys = {"host": "HOST", "user": "USER", "dbname": "NAME"}
    service.write_text("[shop]\n" + "\n".join(f"{key}={postgresql[name]}" for key, name in keys.items()), "utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    make_alias("writer", postgresql)
    make_items("writer")
    put("writer", {"small": 1}, {"small": 2})
    make_alias("shop", postgresql | change(postgresql))
    # In the session's time zone, which is Django's for this database.
    day = Cast("at", DateField())
    monkeypatch.setattr(ItemExtractor, "row_class", make_dataclass("Row", [("at", datetime), ("its_day", date)]))
    monkeypatch.setattr(ItemExtractor, "queryset", lambda items: items.order_by("pk").values("at", its_day=day))

    found = both()

    assert (found.message, found.reasons) == ("", ())
    assert found.table.num_rows == 2


@pytest.mark.usefixtures("shop")
def test_rows_of_an_open_transaction_are_seen() -> None:
    with transaction.atomic(using="shop"):
        put("shop", {}, {})
        found = both()

    assert found.table.num_rows == 2
    assert found.reasons == (f"{BY_ROWS}its transaction may hold rows that no other connection sees.",)


@pytest.mark.usefixtures("sqlite_shop")
def test_without_a_driver_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {})
    monkeypatch.delitem(sys.modules, "exporter.adbc_sqlite", raising=False)
    monkeypatch.setitem(sys.modules, "adbc_driver_sqlite", None)

    found = both()

    assert found.table.num_rows == 1
    assert found.reasons == (
        f"{BY_ROWS}import of adbc_driver_sqlite halted; None in sys.modules: pip install 'smolqwery-terraform[adbc]'.",
    )


@pytest.mark.usefixtures("sqlite_shop")
def test_other_databases_are_read_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop", {})
    monkeypatch.setattr(direct_source, "_SOURCES", {})

    assert both().reasons == (f"{BY_ROWS}ADBC is not used for sqlite.",)


def test_the_path_of_a_database_can_hold_any_character(make_alias: MakeAlias, tmp_path: Path) -> None:
    directory = tmp_path / "ü %41 #?&='\""
    directory.mkdir()
    make_alias("shop", database(str(directory / "shop.sqlite3")))
    make_items("shop")
    put("shop", {})

    found = both()

    assert (found.table.num_rows, found.reasons) == (1, ())
