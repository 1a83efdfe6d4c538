"""A value of every type → what BigQuery would hold, or why it would not."""

from __future__ import annotations

import json
import math
import uuid
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from django.db.models import IntegerChoices, TextChoices
from django.utils.functional import lazystr
from django.utils.safestring import SafeString

from exporter import sq_field
from exporter_cases import read_back

if TYPE_CHECKING:
    from typing import Self

NEW_YORK = ZoneInfo("America/New_York")
INSTANT = datetime(2025, 1, 15, 10, 0, tzinfo=UTC)
UNIQUE = uuid.UUID("12345678-1234-5678-1234-567812345678")


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BROKEN = "\ud800"


class Size(StrEnum):
    SMALL = "small"


class State(TextChoices):
    NEW = "new", "Just made"


class Priority(IntegerChoices):
    LOW = 1, "Not urgent"


class Level(IntEnum):
    ONE = 1


class Shouting(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


class FrozenDate(date):
    """As freezegun replaces it."""

    def __sub__(self, other: Any) -> Any:
        raise NotImplementedError


class FrozenTime(datetime):
    """As freezegun replaces it: arithmetic gives its own kind."""

    def __sub__(self, other: Any) -> Any:
        return datetime.__sub__(self, other)

    def __add__(self, other: timedelta) -> Self:
        return super().__add__(other)


class Somewhere(tzinfo):
    """A zone that does not know its offset: its datetimes are naive."""

    def utcoffset(self, moment: datetime | None) -> None:
        del moment

    def tzname(self, moment: datetime | None) -> None:
        del moment

    def dst(self, moment: datetime | None) -> None:
        del moment


@dataclass
class Leg:
    miles: int
    gate: str | None = None


@dataclass
class LongLeg(Leg):
    stops: int = 0


def row_of(annotation: Any, **options: Any) -> type:
    return make_dataclass("Row", [("value", annotation, sq_field(**options))])


def held(annotation: Any, value: object, **options: Any) -> Any:
    """What BigQuery would hold."""
    row_class = row_of(annotation, **options)
    (row,) = read_back.read_back(read_back.aggregated(row_class), [row_class(value)])
    return row["value"]


def refused(annotation: Any, value: object, **options: Any) -> str:
    """The column's path within `value`, the problem and the remedy."""
    row_class = row_of(annotation, **options)
    message = read_back.refused(read_back.aggregated(row_class), [row_class(value)])
    assert message.startswith("row 1, column value")
    return message.removeprefix("row 1, column value")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (bool, False),
        (int, 0),
        (int, 2**63 - 1),
        (int, -(2**63)),
        (float, 0.1),
        (float, 5e-324),
        (float, -1.7976931348623157e308),
        (Decimal, Decimal("99999999999999999999999999999.999999999")),
        (Decimal, Decimal("-99999999999999999999999999999.999999999")),
        (Decimal, Decimal("0.000000001")),
        (Decimal, Decimal("1E+28")),
        (Decimal, Decimal("0E-50")),
        (Decimal, Decimal("1.100000000000")),
        (Decimal, Decimal("-0.0")),
        (str, ""),
        (str, "naïve 日本 🎉 \0 \r\n \\ \" ' ${x} %{y}"),
        (bytes, b""),
        (bytes, b"\x00\xff"),
        (date, date.min),
        (date, date.max),
        (datetime, datetime.min.replace(tzinfo=UTC)),
        (datetime, datetime.max.replace(tzinfo=UTC)),
        (datetime, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (time, time.min),
        (time, time.max),
        (list[str], []),
        (list[str], ["", "a"]),
        (list[int], [1] * 1_000),
        (str | None, None),
        (dict | None, None),
        (datetime | None, None),
        (bytes | None, None),
        (Leg | None, None),
        (list[Leg], []),
    ],
)
def test_value_is_held_as_it_is(annotation: Any, value: object) -> None:
    assert held(annotation, value) == value


@pytest.mark.parametrize(
    ("precision", "scale", "value"),
    [
        (5, 2, "999.99"),
        (5, 2, "-999.99"),
        (5, 2, "1E+2"),
        (5, 2, "1.500"),
        (2, 2, "0.99"),
        (29, 0, "9" * 29),
        (38, 38, "0." + "9" * 38),
        (76, 38, "9" * 38 + "." + "9" * 38),
        (76, 38, "-" + "9" * 38 + "." + "9" * 38),
        (76, 38, "1E-38"),
    ],
)
def test_decimal_of_all_its_digits_is_held_as_it_is(precision: int, scale: int, value: str) -> None:
    assert held(Decimal, Decimal(value), precision=precision, scale=scale) == Decimal(value)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        # subclasses
        (int, Priority.LOW, 1),
        (int, Level.ONE, 1),
        (str, State.NEW, "new"),
        (str, Size.SMALL, "small"),
        (str, SafeString("<b>"), "<b>"),
        (str, Shouting("hush"), "hush"),
        (list[str], [SafeString("a"), State.NEW, "b"], ["a", "new", "b"]),
        (date, FrozenDate(2025, 1, 15), date(2025, 1, 15)),
        (datetime, FrozenTime(2025, 1, 15, 10, tzinfo=UTC), INSTANT),
        (Leg, LongLeg(5, "A", 2), {"miles": 5, "gate": "A"}),
        (list[Leg], (LongLeg(5, "A", 2),), [{"miles": 5, "gate": "A"}]),
        # an int is a float to Python's type checkers
        (float, 3, 3.0),
        (float, -(2**53), -(2.0**53)),
        (float | None, Level.ONE, 1.0),
        # one of some
        (Colour, Colour.RED, "red"),
        (Colour, "red", "red"),
        (State, State.NEW, "new"),
        (State, "new", "new"),
        (Size, Size.SMALL, "small"),
        (list[Colour], [Colour.RED, "green"], ["red", "green"]),
        (Colour | None, None, None),
        (Literal["a", "b"], "b", "b"),
        (Literal["new"], State.NEW, "new"),
        (Literal["a"] | None, None, None),
        (uuid.UUID, UNIQUE, "12345678-1234-5678-1234-567812345678"),
        (list[uuid.UUID], [UNIQUE], ["12345678-1234-5678-1234-567812345678"]),
        # buffers, as a BinaryField yields them
        (bytes, bytearray(b"ab"), b"ab"),
        (bytes, memoryview(b"abcd")[::2], b"ac"),
        (list[bytes], [b"a", memoryview(b"b"), bytearray(b"c")], [b"a", b"b", b"c"]),
        # instants
        (datetime, datetime(2025, 1, 15, 5, 0, tzinfo=NEW_YORK), INSTANT),
        (datetime, datetime(2025, 1, 15, 11, 0, 7, tzinfo=timezone(timedelta(hours=1, seconds=7))), INSTANT),
        (datetime, datetime(2025, 11, 2, 1, 30, tzinfo=NEW_YORK), datetime(2025, 11, 2, 5, 30, tzinfo=UTC)),
        (datetime, datetime(2025, 11, 2, 1, 30, fold=1, tzinfo=NEW_YORK), datetime(2025, 11, 2, 6, 30, tzinfo=UTC)),
        (datetime, datetime(2025, 3, 9, 2, 30, tzinfo=NEW_YORK), datetime(2025, 3, 9, 7, 30, tzinfo=UTC)),
        (time, time(1, 2, 3, 4, fold=1), time(1, 2, 3, 4)),
        # lists
        (list[int], (1, 2), [1, 2]),
        (tuple[int, ...], [1, 2], [1, 2]),
    ],
)
def test_value_is_held_as(annotation: Any, value: object, expected: object) -> None:
    assert held(annotation, value) == expected


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_is_held_where_it_is_allowed(value: float) -> None:
    assert held(float, value, allow_nan=True) == value


def test_nan_is_held_where_it_is_allowed() -> None:
    assert math.isnan(held(float | None, math.nan, allow_nan=True))


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (dict, {}, "{}"),
        (dict, {"a": [1, 1.5, True, None, "ü🎉"]}, '{"a": [1, 1.5, true, null, "ü🎉"]}'),
        (dict[str, Any], defaultdict(int, a=1), '{"a": 1}'),
        (dict, OrderedDict(b=1, a=2), '{"b": 1, "a": 2}'),
        (dict, {"max": 2**64 - 1, "min": -(2**63)}, '{"max": 18446744073709551615, "min": -9223372036854775808}'),
        (dict, {"digits": "9" * 40}, '{"digits": "9999999999999999999999999999999999999999"}'),
        (dict, {"state": State.NEW, "safe": SafeString("<b>")}, '{"state": "new", "safe": "<b>"}'),
        (list, [], "[]"),
        (list[Any], [[1], {"a": 1}], '[[1], {"a": 1}]'),
        (list[Any], (1, 2), "[1, 2]"),
    ],
)
def test_json_is_held_as_its_text(annotation: Any, value: object, text: str) -> None:
    assert held(annotation, value) == text


def test_json_in_a_list_is_held_as_texts() -> None:
    assert held(list[dict[str, int]], [{"a": 1}, {}]) == ['{"a": 1}', "{}"]


def test_json_reads_as_what_was_yielded() -> None:
    value = {"text": '"\\\n\t\0', "number": 0.1, "big": 1e300, "nested": {"list": [[], {}, None]}}

    assert json.loads(held(dict, value)) == value


BOOL = "Yield True or False, e.g. bool(value)."
INT = "Yield an int, e.g. int(value), in a QuerySet Cast(…, IntegerField())."
FLOAT = "Yield a float, e.g. float(value), in a QuerySet Cast(…, FloatField())."
FINITE = "Yield None (annotate with `float | None`), or allow it with sq_field(allow_nan=True)."
DECIMAL = "Yield a Decimal, e.g. Decimal(str(value)), in a QuerySet Cast(…, DecimalField(…))."
STR = "Yield a str, e.g. str(value), in a QuerySet Cast(…, CharField())."
UTF8 = 'Replace it, e.g. value.encode("utf-8", "replace").decode().'
UUID = "Yield a uuid.UUID, e.g. uuid.UUID(value)."
BYTES = "Yield bytes, e.g. value.encode()."
DATE = (
    "Yield a datetime.date, e.g. django.utils.timezone.localtime(value).date() of a datetime, in a QuerySet "
    "TruncDate(…)."
)
DATETIME = "Yield an aware datetime.datetime."
AWARE = "Use an aware datetime, e.g. django.utils.timezone.make_aware(value)."
YEARS = "BigQuery's TIMESTAMP ends there."
TIME = "Yield a datetime.time."
DICT = "Yield a dict."
IN_JSON = "Use dict, list, str, int, float, bool and None inside it."
LIST = "Yield a list or a tuple."
EMPTY = "BigQuery has no NULL list: yield an empty list."
NO_NULL = "Leave it out of the list."
REQUIRED = "Yield a value, in a QuerySet Coalesce(…), or annotate the field with `| None` and apply Terraform."
COLOUR = "Yield a member of Colour or its value: 'red', 'green', '\\ud800'."
WIDE = "Annotate the field with Decimal or str instead of int."
ROUND = "Round it, e.g. round(value, 9), or give the column a larger scale: sq_field(precision=…, scale=…)."
PRECISE = "Give the column a larger precision: sq_field(precision=…, scale=…)."


@pytest.mark.parametrize(
    ("annotation", "value", "message", "remedy"),
    [
        # None
        (int, None, ": None in a REQUIRED column.", REQUIRED),
        (str, None, ": None in a REQUIRED column.", REQUIRED),
        (bytes, None, ": None in a REQUIRED column.", REQUIRED),
        (datetime, None, ": None in a REQUIRED column.", REQUIRED),
        (dict, None, ": None in a REQUIRED column.", REQUIRED),
        (Colour, None, ": None in a REQUIRED column.", REQUIRED),
        (Leg, None, ": None in a REQUIRED column.", REQUIRED),
        (list[int], None, ": None is not a list.", EMPTY),
        (list[Leg], None, ": None is not a list.", EMPTY),
        (list[int], [1, None], "[1]: None in a list, where BigQuery has no NULL.", NO_NULL),
        (list[str], [None], "[0]: None in a list, where BigQuery has no NULL.", NO_NULL),
        (list[bytes], [None], "[0]: None in a list, where BigQuery has no NULL.", NO_NULL),
        (list[datetime], [INSTANT, None], "[1]: None in a list, where BigQuery has no NULL.", NO_NULL),
        (list[dict[str, Any]], [None], "[0]: None in a list, where BigQuery has no NULL.", NO_NULL),
        (list[Leg], [Leg(1), None], "[1]: None in a list, where BigQuery has no NULL.", NO_NULL),
        (Leg, Leg(None), ".miles: None in a REQUIRED column.", REQUIRED),  # type: ignore[arg-type]
        (Leg | None, Leg(None), ".miles: None in a REQUIRED column.", REQUIRED),  # type: ignore[arg-type]
        (list[Leg], [Leg(1), Leg(None)], "[1].miles: None in a REQUIRED column.", REQUIRED),  # type: ignore[arg-type]
        # bool
        (bool, 1, ": int 1 is not a bool.", BOOL),
        (bool, "yes", ": str 'yes' is not a bool.", BOOL),
        # int
        (int, "1", ": str '1' is not an int.", INT),
        (int, 1.0, ": float 1.0 is not an int.", INT),
        (int, True, ": bool True is not an int.", INT),
        (int, Decimal(1), ": Decimal 1 is not an int.", INT),
        (int | None, "", ": str '' is not an int.", INT),
        (list[int], [1, 2.5], "[1]: float 2.5 is not an int.", INT),
        (int, 2**63, ": 9223372036854775808 does not fit into 64 bits.", WIDE),
        (int, -(2**63) - 1, ": -9223372036854775809 does not fit into 64 bits.", WIDE),
        (int, 10**70, f": 1{'0' * 59}… does not fit into 64 bits.", WIDE),
        # float
        (float, math.nan, ": nan is not a number that sums and averages survive.", FINITE),
        (float | None, -math.inf, ": -inf is not a number that sums and averages survive.", FINITE),
        (list[float], [0.0, math.nan], "[1]: nan is not a number that sums and averages survive.", FINITE),
        (float, True, ": bool True is not a float.", FLOAT),
        (float, 2**53 + 1, ": int 9007199254740993 is not a float.", FLOAT),
        (float, Decimal("0.5"), ": Decimal 0.5 is not a float.", FLOAT),
        (float, "0.5", ": str '0.5' is not a float.", FLOAT),
        # Decimal
        (Decimal, 1.5, ": float 1.5 is not a Decimal.", DECIMAL),
        (Decimal, 1, ": int 1 is not a Decimal.", DECIMAL),
        (Decimal, "1.5", ": str '1.5' is not a Decimal.", DECIMAL),
        (Decimal, Decimal("NaN"), ": NaN is not a finite Decimal.", "Yield None (annotate with `Decimal | None`)."),
        (
            Decimal | None,
            Decimal("NaN"),
            ": NaN is not a finite Decimal.",
            "Yield None (annotate with `Decimal | None`).",
        ),
        (Decimal, Decimal("sNaN"), ": sNaN is not a finite Decimal.", "Yield None (annotate with `Decimal | None`)."),
        (
            Decimal,
            Decimal("-Infinity"),
            ": -Infinity is not a finite Decimal.",
            "Yield None (annotate with `Decimal | None`).",
        ),
        (Decimal, Decimal("0.0000000001"), ": 1E-10 has more than 9 digits after the point.", ROUND),
        (Decimal, Decimal("1.23456789012"), ": 1.23456789012 has more than 9 digits after the point.", ROUND),
        (Decimal, Decimal("1E+29"), ": 1E+29 has more than 29 digits before the point.", PRECISE),
        (Decimal, Decimal("1E+999999"), ": 1E+999999 has more than 29 digits before the point.", PRECISE),
        (list[Decimal], [Decimal(1), Decimal("1E-10")], "[1]: 1E-10 has more than 9 digits after the point.", ROUND),
        # str
        (str, 1, ": int 1 is not a str.", STR),
        (str, b"a", ": bytes b'a' is not a str.", STR),
        (str, lazystr("later"), ": __proxy__ 'later' is not a str.", STR),
        (str, Colour.RED, ": Colour <Colour.RED: 'red'> is not a str.", STR),
        (str, UNIQUE, f": UUID {UNIQUE!r} is not a str.", STR),
        (str, "a\ud800b", ": 'a\\ud800b' holds the lone surrogate '\\ud800', which is not text in UTF-8.", UTF8),
        (str | None, "\udfff", ": '\\udfff' holds the lone surrogate '\\udfff', which is not text in UTF-8.", UTF8),
        (
            list[str],
            ["a", "\ud800"],
            "[1]: '\\ud800' holds the lone surrogate '\\ud800', which is not text in UTF-8.",
            UTF8,
        ),
        (str, Shouting("\ud800"), ": '\\ud800' holds the lone surrogate '\\ud800', which is not text in UTF-8.", UTF8),
        # one of some
        (Colour, "blue", ": 'blue' is not a Colour.", COLOUR),
        (Colour, 1, ": 1 is not a Colour.", COLOUR),
        (Colour, ["red"], ": ['red'] is not a Colour.", COLOUR),
        (Colour, Size.SMALL, ": <Size.SMALL: 'small'> is not a Colour.", COLOUR),
        (list[Colour], [Colour.RED, "blue"], "[1]: 'blue' is not a Colour.", COLOUR),
        (Colour, Colour.BROKEN, ": '\\ud800' holds the lone surrogate '\\ud800', which is not text in UTF-8.", UTF8),
        (Literal["a", "b"], "c", ": 'c' is not one of 'a', 'b'.", "Yield one of them, or add it to Literal."),
        (Literal["a", "b"], 1, ": int 1 is not a str.", STR),
        (uuid.UUID, str(UNIQUE), f": str '{UNIQUE}' is not a UUID.", UUID),
        # bytes
        (bytes, "a", ": str 'a' is not bytes.", BYTES),
        (bytes, 3, ": int 3 is not bytes.", BYTES),
        (list[bytes], [b"a", 3], "[1]: int 3 is not bytes.", BYTES),
        # date, datetime, time
        (date, datetime(2025, 1, 15, 10, tzinfo=UTC), ": datetime 2025-01-15 10:00:00+00:00 is not a date.", DATE),
        (date, "2025-01-15", ": str '2025-01-15' is not a date.", DATE),
        (datetime, date(2025, 1, 15), ": date 2025-01-15 is not a datetime.", DATETIME),
        (datetime, "2025-01-15", ": str '2025-01-15' is not a datetime.", DATETIME),
        (datetime, 0, ": int 0 is not a datetime.", DATETIME),
        (datetime, timedelta(1), ": timedelta datetime.timedelta(days=1) is not a datetime.", DATETIME),
        (datetime, datetime(2025, 1, 15, 10), ": naive datetime 2025-01-15 10:00:00.", AWARE),  # noqa: DTZ001
        (datetime | None, datetime(2025, 1, 15, 10), ": naive datetime 2025-01-15 10:00:00.", AWARE),  # noqa: DTZ001
        (list[datetime], [INSTANT, datetime(2025, 1, 15)], "[1]: naive datetime 2025-01-15 00:00:00.", AWARE),  # noqa: DTZ001
        (datetime, datetime(2025, 1, 15, tzinfo=Somewhere()), ": naive datetime 2025-01-15 00:00:00.", AWARE),
        (
            datetime,
            datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
            ": 0001-01-01 00:00:00+01:00 is outside the years 1 to 9999 in UTC.",
            YEARS,
        ),
        (
            datetime,
            datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))),
            ": 9999-12-31 23:59:59.999999-01:00 is outside the years 1 to 9999 in UTC.",
            YEARS,
        ),
        (time, INSTANT, ": datetime 2025-01-15 10:00:00+00:00 is not a time.", TIME),
        (time, "10:00", ": str '10:00' is not a time.", TIME),
        (
            time,
            time(10, tzinfo=UTC),
            ": time 10:00:00+00:00 has a time zone, which BigQuery's TIME has not.",
            "Yield value.replace(tzinfo=None).",
        ),
        # JSON
        (dict, [1], ": list [1] is not a dict.", DICT),
        (dict, '{"a": 1}', ": str '{\"a\": 1}' is not a dict.", DICT),
        (list, {"a": 1}, ": dict {'a': 1} is not a list.", "Yield a list."),
        (list[Any] | None, "a", ": str 'a' is not a list.", "Yield a list."),
        (
            dict,
            {"at": INSTANT},
            ": cannot be written as JSON: Object of type datetime is not JSON serializable.",
            IN_JSON,
        ),
        (dict, {"a": {1, 2}}, ": cannot be written as JSON: Object of type set is not JSON serializable.", IN_JSON),
        (
            dict,
            {("a", "b"): 1},
            ": cannot be written as JSON: keys must be str, int, float, bool or None, not tuple.",
            IN_JSON,
        ),
        (
            dict,
            {"a": ["\ud800"]},
            ": '{\"a\": [\"\\ud800\"]}' holds the lone surrogate '\\ud800', which is not text in UTF-8.",
            UTF8,
        ),
        (dict, {"a": [2**64]}, ": 18446744073709551616 does not fit into 64 bits.", "Keep it as a str in the JSON."),
        (
            list,
            [{"a": -(2**63) - 1}],
            ": -9223372036854775809 does not fit into 64 bits.",
            "Keep it as a str in the JSON.",
        ),
        (list[dict[str, Any]], [{}, [1]], "[1]: list [1] is not a dict.", DICT),
        # lists
        (list[str], "abc", ": str 'abc' is not a list.", LIST),
        (list[int], {1}, ": set {1} is not a list.", LIST),
        (list[int], 5, ": int 5 is not a list.", LIST),
        (list[int], [[1]], "[0]: list [1] is not an int.", INT),
        # RECORDs
        (Leg, {"miles": 5}, ": dict {'miles': 5} is not an instance of Leg.", "Yield Leg(…)."),
        (Leg | None, 5, ": int 5 is not an instance of Leg.", "Yield Leg(…)."),
        (list[Leg], [Leg(1), "a"], "[1]: str 'a' is not an instance of Leg.", "Yield Leg(…)."),
        (list[Leg], [Leg(1, gate=5)], "[0].gate: int 5 is not a str.", STR),  # type: ignore[arg-type]
    ],
)
def test_value_is_refused(annotation: Any, value: object, message: str, remedy: str) -> None:
    assert refused(annotation, value) == f"{message}\n  {remedy}"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_has_no_nan(value: float) -> None:
    message = refused(dict, {"a": value})

    # Python words the reason in its own way in each version.
    assert message.startswith(": cannot be written as JSON: Out of range float values are not JSON compliant")
    assert message.endswith(f".\n  {IN_JSON}")


def test_json_that_contains_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless

    assert refused(dict, endless) == f": cannot be written as JSON: Circular reference detected.\n  {IN_JSON}"


@pytest.mark.parametrize(
    ("value", "problem", "remedy"),
    [
        ("1000", "1000 has more than 3 digits before the point.", PRECISE),
        ("1E+3", "1E+3 has more than 3 digits before the point.", PRECISE),
        (
            "0.001",
            "0.001 has more than 2 digits after the point.",
            "Round it, e.g. round(value, 2), or give the column a larger scale: sq_field(precision=…, scale=…).",
        ),
    ],
)
def test_decimal_beyond_the_digits_of_its_column_is_refused(value: str, problem: str, remedy: str) -> None:
    assert refused(Decimal | None, Decimal(value), precision=5, scale=2) == f": {problem}\n  {remedy}"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1E+38", "1E+38 has more than 38 digits before the point."),
        ("1E-39", "1E-39 has more than 38 digits after the point."),
    ],
)
def test_decimal_beyond_bignumeric_is_refused(value: str, problem: str) -> None:
    assert refused(Decimal, Decimal(value), precision=76, scale=38).startswith(f": {problem}\n")


def test_long_value_is_shown_by_its_begin() -> None:
    assert refused(int, "x" * 1_000) == f": str '{'x' * 59}… is not an int.\n  {INT}"


def test_int_that_python_does_not_write_is_refused() -> None:
    assert refused(int, 10**5000) == f": an int of 16,610 bits does not fit into 64 bits.\n  {WIDE}"
