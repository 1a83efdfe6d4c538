"""The rows of a day → record batches and payloads, or the row that is refused."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, make_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from exporter import ExtractionError, RowError, sq_field
from exporter.days import window
from exporter_cases.read_back import DAY, EXTRACTOR, aggregated, individual, read_back, refused

if TYPE_CHECKING:
    from collections.abc import Iterator


NEW_YORK = ZoneInfo("America/New_York")
TICK = timedelta(microseconds=1)
INSTANT = datetime(2025, 1, 15, 17, 0, tzinfo=UTC)
A_NEW_OBJECT = "Yield a new object for each row: then the message can name the row."


@dataclass
class Email:
    timestamp: datetime
    number: int
    score: float = 0.0


@dataclass
class Total:
    orders: int
    note: str | None = None


@dataclass
class Stop:
    name: str
    gates: list[int]


@dataclass
class Leg:
    to: Stop
    stops: list[Stop]
    lounge: Stop | None


@dataclass
class Trip:
    legs: list[Leg]
    back: Leg | None
    notes: list[str]
    data: list[dict[str, Any]]
    seen: list[datetime]
    last: datetime | None


def emails(count: int, **changes: Any) -> Iterator[Email]:
    """Numbered from 1; the last one with these changes."""
    for number in range(1, count):
        yield Email(INSTANT, number)
    yield Email(**{"timestamp": INSTANT, "number": count, **changes})


# The schema.


def test_arrow_schema_has_the_modes() -> None:
    @dataclass
    class Row:
        timestamp: datetime
        amount: Decimal | None
        exact: Decimal = sq_field(precision=76, scale=38)
        names: list[str] = field(default_factory=list)
        stop: Stop | None = None

    schema = individual(Row).schema

    assert str(schema) == (
        "timestamp: timestamp[us, tz=UTC] not null\n"
        "amount: decimal128(38, 9)\n"
        "exact: decimal256(76, 38) not null\n"
        "names: list<item: string not null> not null\n"
        "  child 0, item: string not null\n"
        "stop: struct<name: string not null, gates: list<item: int64 not null> not null>\n"
        "  child 0, name: string not null\n"
        "  child 1, gates: list<item: int64 not null> not null\n"
        "      child 0, item: int64 not null"
    )


def test_schema_bytes_are_the_schema() -> None:
    batches = aggregated(Total)

    assert pa.ipc.read_schema(pa.py_buffer(batches.schema_bytes())) == batches.schema


# Days.


def test_aggregated_row_gets_its_day() -> None:
    assert read_back(aggregated(Total), [Total(5)]) == [{"date": date(2025, 1, 15), "orders": 5, "note": None}]


@pytest.mark.parametrize(
    ("rows", "found"), [(0, "no row"), (2, "more than one row"), (32, "more than one row"), (33, "more than one row")]
)
def test_aggregated_day_has_exactly_one_row(rows: int, found: str) -> None:
    with pytest.raises(ExtractionError) as refusal:
        read_back(aggregated(Total), [Total(5)] * rows)

    assert type(refusal.value) is ExtractionError
    assert str(refusal.value) == (
        f"{EXTRACTOR}, 2025-01-15: {found} for a day that is aggregated.\n"
        "  Yield exactly one row a day, or use ExtractorType.individual_rows."
    )


@pytest.mark.parametrize("rows", [0, 1, 31, 32, 33, 64, 4_127, 4_128, 4_129])
def test_day_of_individual_rows_has_any_number(rows: int) -> None:
    found = read_back(individual(Email), [Email(INSTANT, number) for number in range(rows)])

    assert [row["number"] for row in found] == list(range(rows))


def test_rows_are_taken_as_they_are_yielded() -> None:
    taken = []

    def endless() -> Iterator[Email]:
        while True:
            taken.append(1)
            yield Email(INSTANT, 1)

    batches = individual(Email).of_day(endless(), DAY)
    sizes = [next(batches).num_rows for _ in range(5)]

    assert len(taken) == sum(sizes)
    assert max(sizes) <= 4_096


def test_wide_rows_come_in_small_batches() -> None:
    row_class = make_dataclass("Wide", [("timestamp", datetime), ("text", str)])
    rows = (row_class(INSTANT, "x" * 100_000) for _ in range(100))

    sizes = [batch.nbytes for batch in individual(row_class).of_day(rows, DAY)]

    assert max(sizes[1:]) < 1_100_000
    assert len(sizes) > 5


@pytest.mark.parametrize("day", [date(2025, 1, 15), date(2025, 3, 9), date(2025, 11, 2)], ids=str)
@pytest.mark.parametrize("zone", [NEW_YORK, UTC, ZoneInfo("Asia/Tokyo")], ids=str)
def test_row_at_a_bound_of_its_day(day: date, zone: ZoneInfo) -> None:
    its_day = window(day, NEW_YORK)
    start, end = its_day.start.astimezone(UTC), its_day.end.astimezone(UTC)

    found = read_back(
        individual(Email), [Email(start.astimezone(zone), 1), Email((end - TICK).astimezone(zone), 2)], its_day
    )

    assert [row["timestamp"] for row in found] == [start, end - TICK]
    for outside in (start - TICK, end):
        with pytest.raises(RowError, match=r"is outside the window of its day"):
            read_back(individual(Email), [Email(outside.astimezone(zone), 1)], its_day)


WINTER = "2025-01-15 00:00:00-05:00 to 2025-01-16 00:00:00-05:00"
SPRING = "2025-03-09 00:00:00-05:00 to 2025-03-10 00:00:00-04:00"
AUTUMN = "2025-11-02 00:00:00-04:00 to 2025-11-03 00:00:00-05:00"


@pytest.mark.parametrize(
    ("day", "value", "shown", "bounds"),
    [
        ("2025-01-15", "2025-01-16T00:00-05:00", "2025-01-16 00:00:00-05:00", WINTER),
        ("2025-01-15", "2025-01-15T04:59:59Z", "2025-01-15 04:59:59+00:00", WINTER),
        ("2025-01-15", "0001-01-01T00:00Z", "0001-01-01 00:00:00+00:00", WINTER),
        ("2025-01-15", "9999-12-31T23:59Z", "9999-12-31 23:59:00+00:00", WINTER),
        ("2025-03-09", "2025-03-10T04:00Z", "2025-03-10 04:00:00+00:00", SPRING),
        ("2025-11-02", "2025-11-03T05:00Z", "2025-11-03 05:00:00+00:00", AUTUMN),
    ],
)
def test_timestamp_outside_the_window_of_its_day(day: str, value: str, shown: str, bounds: str) -> None:
    its_day = window(date.fromisoformat(day), NEW_YORK)
    rows = [Email(its_day.start, 1), Email(datetime.fromisoformat(value), 2), Email(its_day.start, 3)]

    assert refused(individual(Email), rows, its_day) == (
        f"row 2, column timestamp: {shown} is outside the window of its day, {bounds}.\n"
        "  Yield only rows with date_start <= value < date_end, in a QuerySet .filter(timestamp__gte=date_start, "
        "timestamp__lt=date_end)."
    )


@pytest.mark.parametrize("value", [date(2025, 1, 14), date(2025, 1, 16), date.min, date.max])
def test_date_outside_the_window_of_its_day(value: date) -> None:
    row_class = make_dataclass("Row", [("number", int), ("day", date)])

    rows = [row_class(1, date(2025, 1, 15)), row_class(2, value)]

    assert read_back(individual(row_class, "day"), rows[:1]) == [{"number": 1, "day": date(2025, 1, 15)}]
    assert refused(individual(row_class, "day"), rows) == (
        f"row 2, column day: {value} is outside the window of its day, 2025-01-15.\n"
        "  Yield only rows with date_start <= value < date_end, in a QuerySet .filter(day=date_start.date())."
    )


# Which row.


@pytest.mark.parametrize("rows", [1, 2, 32, 33, 4_128, 4_129, 10_000])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # refused as it is read, by Arrow, and after Arrow
        ({"timestamp": datetime(2025, 1, 15)}, "column timestamp: naive datetime 2025-01-15 00:00:00."),  # noqa: DTZ001
        ({"number": 2**63}, "column number: 9223372036854775808 does not fit into 64 bits."),
        ({"score": math.nan}, "column score: nan is not a number that sums and averages survive."),
        ({"timestamp": DAY.end}, "column timestamp: 2025-01-16 00:00:00-05:00 is outside the window of its day, "),
    ],
)
def test_row_is_counted_from_1_within_its_day(rows: int, changes: dict[str, Any], message: str) -> None:
    found = refused(individual(Email), [*emails(rows, **changes), *emails(100)])

    assert found.startswith(f"row {rows}, {message}")


def test_first_bad_row_is_named() -> None:
    rows = [*emails(5, score=math.nan), *emails(3, number="3"), Email(DAY.end, 9)]

    assert refused(individual(Email), rows).startswith("row 5, column score: nan is not")


def test_first_bad_column_is_named() -> None:
    assert refused(individual(Email), [Email(INSTANT, "1", math.nan)]).startswith("row 1, column number: str '1'")  # type: ignore[arg-type]


def test_rows_before_a_bad_one_come_first() -> None:
    batches = individual(Email).of_day(emails(100, number=None), DAY)
    before = next(batches)

    with pytest.raises(RowError) as refusal:
        list(batches)

    assert before.num_rows == 32
    assert (refusal.value.extractor, refusal.value.day) == (EXTRACTOR, date(2025, 1, 15))
    assert (refusal.value.row, refusal.value.column) == (100, "number")


@dataclass
class LongEmail(Email):
    text: str = ""


@dataclass
class Imposter:
    timestamp: datetime
    number: int
    score: float


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (None, "None"),
        ({"timestamp": INSTANT, "number": 1, "score": 0.0}, "dict"),
        ((INSTANT, 1, 0.0), "tuple"),
        (Imposter(INSTANT, 1, 0.0), "Imposter"),
        (Email, "type"),
    ],
)
def test_row_that_is_no_instance_of_the_dataclass(row: object, kind: str) -> None:
    assert refused(individual(Email), [*emails(40), row]) == (
        f"row 41: {kind} instead of Email.\n  Yield instances of {__name__}.Email."
    )


def test_row_of_a_derived_class_is_a_row() -> None:
    found = read_back(individual(Email), [LongEmail(INSTANT, 1, 0.5, "text"), Email(INSTANT, 2)])

    assert found == [
        {"timestamp": INSTANT, "number": 1, "score": 0.5},
        {"timestamp": INSTANT, "number": 2, "score": 0.0},
    ]


@dataclass
class Unfinished:
    number: int
    later: str = field(init=False)


@dataclass(slots=True)
class SlottedUnfinished:
    number: int
    later: str = field(init=False)


@pytest.mark.parametrize("row_class", [Unfinished, SlottedUnfinished])
def test_field_that_nobody_set(row_class: type) -> None:
    assert refused(aggregated(row_class), [row_class(1)]) == (
        f"row 1: '{row_class.__name__}' object has no attribute 'later'.\n  Set every field of the dataclass."
    )


class Moody(Total):
    @property
    def note(self) -> str:
        raise LookupError("not today")

    @note.setter
    def note(self, value: str | None) -> None:
        pass


def test_field_that_raises() -> None:
    assert refused(aggregated(Total), [Moody(1)]) == (
        "row 1: reading it raised LookupError: not today.\n  Let the fields of a row be plain values."
    )


def test_what_the_rows_raise_is_raised() -> None:
    def rows() -> Iterator[Email]:
        yield from emails(40)
        raise ExtractionError(location="here", problem="No.", remedy="Try again.")

    with pytest.raises(ExtractionError, match=r"^here: No\."):
        read_back(individual(Email), rows())


def test_day_too_large_for_a_request_is_no_problem_but_a_row_is() -> None:
    row_class = make_dataclass("Wide", [("timestamp", datetime), ("text", str)])
    rows = [row_class(INSTANT, "x" * 2_000_000)] * 5
    rows.append(row_class(INSTANT, "x" * 8_000_000))

    message = refused(individual(row_class), rows)

    assert re.sub(r"8,000,\d{3}", "8,000,…", message) == (
        "row 6: 8,000,… bytes, and a request to BigQuery carries at most 7,000,000.\n"
        "  Keep large values elsewhere, e.g. in Cloud Storage, and export where they are."
    )


# Nested columns.


def test_records_lists_and_nothing_in_each_other() -> None:
    full = Leg(to=Stop("JFK", [1, 2]), stops=[Stop("a", []), Stop("b", [3])], lounge=Stop("c", []))
    bare = Leg(to=Stop("EWR", []), stops=[], lounge=None)
    rows = [
        Trip(legs=[full, bare], back=bare, notes=["x"], data=[{"a": 1}], seen=[INSTANT], last=INSTANT),
        Trip(legs=[], back=None, notes=[], data=[], seen=[], last=None),
        Trip(legs=[bare], back=full, notes=["", "y"], data=[{}, {}], seen=[], last=None),
    ]
    row_class = make_dataclass("Row", [("timestamp", datetime), ("trip", Trip), ("maybe", Trip | None)])

    found = read_back(
        individual(row_class),
        [row_class(INSTANT, rows[0], None), row_class(INSTANT, rows[1], rows[2]), row_class(INSTANT, rows[2], rows[0])],
    )

    full_held: dict[str, Any] = {
        "to": {"name": "JFK", "gates": [1, 2]},
        "stops": [{"name": "a", "gates": []}, {"name": "b", "gates": [3]}],
        "lounge": {"name": "c", "gates": []},
    }
    bare_held: dict[str, Any] = {"to": {"name": "EWR", "gates": []}, "stops": [], "lounge": None}
    held = [
        {
            "legs": [full_held, bare_held],
            "back": bare_held,
            "notes": ["x"],
            "data": ['{"a": 1}'],
            "seen": [INSTANT],
            "last": INSTANT,
        },
        {"legs": [], "back": None, "notes": [], "data": [], "seen": [], "last": None},
        {"legs": [bare_held], "back": full_held, "notes": ["", "y"], "data": ["{}", "{}"], "seen": [], "last": None},
    ]
    assert [(row["trip"], row["maybe"]) for row in found] == [(held[0], None), (held[1], held[2]), (held[2], held[0])]


def test_path_into_nested_columns_is_shown() -> None:
    row_class = make_dataclass("Row", [("trip", Trip | None)])
    leg = Leg(to=Stop("JFK", [1]), stops=[Stop("a", []), Stop("b", [3, None])], lounge=None)  # type: ignore[list-item]
    trip = Trip(legs=[leg], back=None, notes=[], data=[], seen=[], last=None)

    assert refused(aggregated(row_class), [row_class(trip)]) == (
        "row 1, column trip.legs[0].stops[1].gates[1]: None in a list, where BigQuery has no NULL.\n"
        "  Leave it out of the list."
    )


def test_absent_record_does_not_hide_none_in_a_present_one() -> None:
    row_class = make_dataclass("Row", [("timestamp", datetime), ("stop", Stop | None)])
    rows = [row_class(INSTANT, None), row_class(INSTANT, Stop(None, [])), row_class(INSTANT, None)]  # type: ignore[arg-type]

    assert refused(individual(row_class), rows) == (
        "row 2, column stop.name: None in a REQUIRED column.\n"
        "  Yield a value, in a QuerySet Coalesce(…), or annotate the field with `| None` and apply Terraform."
    )


def test_records_15_levels_deep() -> None:
    row_class = make_dataclass("Row", [("value", int | None)])
    row, held = row_class(7), dict[str, Any](value=7)
    for level in range(15):
        annotation: Any = (list[row_class], row_class | None, row_class)[level % 3]  # type: ignore[valid-type]
        row_class = make_dataclass("Row", [("inner", annotation)])
        row, held = (
            row_class([row, row] if level % 3 == 0 else row),
            {"inner": [held, held] if level % 3 == 0 else held},
        )

    assert read_back(aggregated(row_class), [row]) == [{"date": date(2025, 1, 15), **held}]


def test_15_lists_of_records_in_each_other() -> None:
    row_class = make_dataclass("Row", [("value", int)])
    row, held = row_class(7), dict[str, Any](value=7)
    for _ in range(15):
        row_class = make_dataclass("Row", [("inner", list[row_class])])  # type: ignore[valid-type]
        row, held = row_class([row]), {"inner": [held]}

    assert read_back(aggregated(row_class), [row]) == [{"date": date(2025, 1, 15), **held}]


def test_names_of_the_generated_function_are_free_for_columns() -> None:
    names = ["row", "rows", "keep", "sinks", "gather", "require", "frozen", "EPOCH", "s0", "v1", "n1", "type", "self"]
    names += ["print", "None_", "cls", "value", "match", "_x", "len", "list", "date_"]
    for annotation, value in ((int, 1), (str | None, None), (list[int], [1]), (dict, {}), (datetime, INSTANT)):
        row_class = make_dataclass("Row", [(name, annotation) for name in names])
        row = row_class(*[value] * len(names))

        (found,) = read_back(aggregated(row_class), [row])

        assert list(found) == ["date", *names]


def test_300_columns() -> None:
    names = [f"column_{number}" for number in range(300)]
    row_class = make_dataclass("Wide", [(name, int | None) for name in names])

    (found,) = read_back(aggregated(row_class), [row_class(*range(299), None)])

    assert [found[name] for name in names] == [*range(299), None]


# An extractor may change an object and yield it again.


def test_each_state_of_a_changing_row_is_exported() -> None:
    @dataclass
    class Row:
        timestamp: datetime
        number: int
        names: list[str]
        data: dict[str, int]
        parts: list[dict[str, int]]
        blob: bytes
        blobs: list[bytes]
        stop: Stop

    def rows() -> Iterator[Row]:
        buffer: Any = bytearray(b"0")
        view: Any = memoryview(buffer)
        row = Row(INSTANT, 0, [], {}, [{}], buffer, [buffer, view], Stop("", []))
        for number in range(100):
            row.number = number
            row.names[:] = [str(number)]
            row.data["n"] = row.parts[0]["n"] = number
            buffer[0] = number
            row.stop.name = str(number)
            row.stop.gates[:] = [number]
            yield row

    found = read_back(individual(Row), rows())

    assert found == [
        {
            "timestamp": INSTANT,
            "number": number,
            "names": [str(number)],
            "data": f'{{"n": {number}}}',
            "parts": [f'{{"n": {number}}}'],
            "blob": bytes([number]),
            "blobs": [bytes([number])] * 2,
            "stop": {"name": str(number), "gates": [number]},
        }
        for number in range(100)
    ]


def changing(values: list[Any], column: str) -> Iterator[Email]:
    row = Email(INSTANT, 0)
    for value in values:
        setattr(row, column, value)
        yield row


def test_bad_state_of_a_changing_row_that_is_seen_as_it_is_read() -> None:
    values = [INSTANT] * 40 + [datetime(2025, 1, 15)] + [INSTANT] * 5  # noqa: DTZ001

    assert refused(individual(Email), changing(values, "timestamp")).startswith(
        "row 41, column timestamp: naive datetime 2025-01-15 00:00:00."
    )


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("score", [0.5] * 3 + [math.nan] + [0.5] * 3, "rows 1 to 7, column score: not finite."),
        (
            "number",
            [1] * 40 + [2**63, 1],
            "rows 33 to 42, column number: 9223372036854775808 does not fit into 64 bits.",
        ),
        ("number", [1, None, 1], "rows 1 to 3, column number: None in a REQUIRED column."),
        (
            "timestamp",
            [INSTANT, DAY.end, INSTANT],
            f"rows 1 to 3, column timestamp: 2025-01-16 05:00:00+00:00 is outside the window of its day, {WINTER}.",
        ),
    ],
)
def test_bad_state_of_a_changing_row_that_is_seen_later(column: str, values: list[Any], message: str) -> None:
    assert refused(individual(Email), changing(values, column)) == f"{message}\n  {A_NEW_OBJECT}"


def test_last_state_of_a_changing_row_is_known() -> None:
    assert refused(individual(Email), changing([0.5, 0.5, math.nan], "score")).startswith("row 3, column score: nan is")
