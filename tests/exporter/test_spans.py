"""What the ledger's SELECTs tell of any ledger is what its rules say of it, applied here row by row."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import ledger_days, ledger_tables
from exporter.entries import DayEntry, Replacement, TableLedger, Unit
from exporter.jobs import array, scalar
from exporter.spans import known_of_tables
from faults.clock import Clock
from faults.sql import to_duckdb
from faults.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.jobs import Parameter

Key: TypeAlias = tuple[str, datetime]

SCHEMA = Path(__file__).parents[2] / "terraform/warehouse/schemas/exporter_ledger.json"
FIRST, ONE_DAY = date(2025, 1, 1), timedelta(days=1)
MADE, MADE_AGAIN = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
REPLACES = {"replacing", "replaced", "expired"}
KEYS = [("order", MADE), ("order", MADE_AGAIN), ("total", MADE)]

# What begins it, what may become of it, and its streams.
MARKS = [[], ["committed"], ["abandoned"], ["committed", "abandoned"]]
STREAMS = [(), ("stream/1",), ("stream/1", "stream/0")]
KINDS: list[tuple[list[str], list[list[str]], list[tuple[str, ...]]]] = [
    (["prepared"], MARKS, STREAMS),
    (["prepared"], MARKS, STREAMS),
    (["replacing"], [[], ["replaced"], ["expired"], ["replaced", "expired"]], [("staging",)]),
    (["adopted"], [[]], [()]),
    ([], MARKS, STREAMS),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Of the ledger."""

    table_id: str
    table_created: datetime
    day: date
    generation: int
    event: str
    row_count: int
    streams: tuple[str, ...]
    run_id: str
    time_zone: str
    recorded_at: datetime = MADE


@st.composite
def entries(draw: st.DrawFn) -> list[Row]:
    """A unit, an adopted day or a replacement, and what became of it; or marks of one that the ledger has lost."""
    table_id, table_created = draw(st.sampled_from(KEYS))
    begun, marks, streams = draw(st.sampled_from(KINDS))
    first, row_counts = draw(st.integers(0, 5)), draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
    what: dict[str, Any] = {
        "table_id": table_id,
        "table_created": table_created,
        "generation": 0 if begun == ["adopted"] else draw(st.integers(0, 2)),
        "streams": draw(st.sampled_from(streams)),
        "run_id": f"run {draw(st.integers(0, 10**6))}",
        "time_zone": draw(st.sampled_from(["Asia/Tokyo", "Europe/Madrid"])),
    }
    return [
        Row(day=FIRST + (first + position) * ONE_DAY, event=event, row_count=row_count, **what)
        for event in [*begun, *draw(st.sampled_from(marks))]
        for position, row_count in enumerate(row_counts)
    ]


@st.composite
def ledgers(draw: st.DrawFn) -> list[Row]:
    """All that the INSERTs may have appended, also before a ledger was lost: a day is begun once in a generation."""
    kept: list[Row] = []
    for rows in draw(st.lists(entries(), min_size=3, max_size=12)):
        events = [other.event for other in kept for row in rows if _place(row) == _place(other)]
        begun = {"prepared", "replacing"}.intersection({row.event for row in rows}, events)
        adopts = "adopted" in {row.event for row in rows}
        if not begun and not (adopts and events) and "adopted" not in events:
            kept += rows
    return kept


def _place(row: Row) -> tuple[object, ...]:
    return row.table_id, row.table_created, row.day, row.generation, row.event in REPLACES


class Selects:
    """The ledger's own SELECTs on rows of our choice."""

    def __init__(self) -> None:
        self._tables = Tables("project", Clock())
        self._tables.make_dataset({"datasetReference": {"datasetId": "exporter"}})
        schema = {"fields": json.loads(SCHEMA.read_text())}
        self._tables.make("exporter", {"tableReference": {"tableId": "ledger"}, "schema": schema})
        tables = array("table_ids", "STRING", sorted({table_id for table_id, _ in KEYS}))
        self._spans = self._translated(ledger_tables.READ, tables)
        of_one = scalar("table_created", "TIMESTAMP", KEYS[0][1])
        self._days = self._translated(ledger_days.DAYS, array("table_ids", "STRING", [KEYS[0][0]]), of_one)

    def put(self, ledger: Sequence[Row]) -> None:
        table = self._tables.table("exporter", "ledger")
        self._tables.connection.execute(f"DELETE FROM {table.quoted}")
        if ledger:
            self._tables.insert([(table, pa.Table.from_pylist(list(map(asdict, ledger))))])

    def spans(self) -> list[dict[str, Any]]:
        return self._rows(self._spans)

    def days(self) -> list[dict[str, Any]]:
        """Of the first table."""
        return self._rows(self._days)

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._tables.connection.execute(statement).to_arrow_table().to_pylist()
        return rows

    def _translated(self, sql: str, *parameters: Parameter) -> str:
        return to_duckdb(
            sql.format(ledger="project.exporter.ledger"),
            parameters=[parameter.to_api_repr() for parameter in parameters],
            now=MADE,
            look=self._tables.look(),
        )

    def close(self) -> None:
        self._tables.close()


@pytest.fixture(scope="module")
def selects() -> Iterator[Selects]:
    started = Selects()
    yield started
    started.close()


@settings(max_examples=80)
@given(ledger=ledgers())
def test_any_ledger(selects: Selects, ledger: list[Row]) -> None:
    selects.put(ledger)

    known = known_of_tables(selects.spans())
    days = [DayEntry(**row) for row in selects.days()]

    expected = {key: Rules([row for row in ledger if (row.table_id, row.table_created) == key]) for key in KEYS}
    assert known == {key: rules.known(key) for key, rules in expected.items() if rules.days}
    assert days == expected[KEYS[0]].entries()


def test_years_of_days_are_one_span(selects: Selects) -> None:
    """Some with rows and some without, each a unit, and each replaced twice."""
    of_all: dict[str, Any] = {
        "table_id": "order",
        "table_created": MADE,
        "row_count": 1,
        "run_id": "run",
        "time_zone": "Asia/Tokyo",
    }
    events = [("prepared", 0), ("committed", 0), ("replacing", 1), ("replaced", 1), ("replacing", 2), ("replaced", 2)]
    ledger = [
        Row(
            **of_all,
            day=FIRST + n * ONE_DAY,
            event=event,
            generation=2 * n + generation if generation else 0,
            streams=("staging",) if generation else ("stream",) if n % 7 else (),
        )
        for n in range(800)
        for event, generation in events
        if n % 7 or event != "committed"
    ]
    selects.put(ledger)

    spans = selects.spans()

    assert sorted(span["state"] for span in spans) == ["committed", "replaced"]
    assert known_of_tables(spans)["order", MADE] == Rules(ledger).known(("order", MADE))


class Rules:
    """As the docstring of ledger.py has them, for the rows of one table."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._exports = [row for row in rows if row.event not in REPLACES]
        self._replacements = [row for row in rows if row.event in REPLACES]
        self.days = sorted({row.day for row in self._exports})
        self._generation = {day: max(row.generation for row in self._exports if row.day == day) for day in self.days}
        self._latest = {
            day: [row for row in self._exports if row.day == day and row.generation == self._generation[day]]
            for day in self.days
        }

    def known(self, key: Key) -> TableLedger:
        states = {day: self._state(day) for day in self.days}
        adopted = [day for day in self.days if states[day] == "adopted"]
        first = max(adopted, default=self.days[0])
        head = first
        while states.get(head, "abandoned") != "abandoned":
            head += ONE_DAY
        counted = [day for day in self.days if day >= first]
        undone = min((row.generation for row in self._undone()), default=None)
        return TableLedger(
            first_day=first,
            head=head - ONE_DAY if head > first else None,
            adopted_day=max(adopted, default=None),
            rows=sum(self._rows(day) for day in counted if states[day] != "abandoned"),
            time_zone=max(row.time_zone for day in counted for row in self._latest[day]),
            in_doubt=self._in_doubt(key, [day for day in self.days if states[day] == "prepared"]),
            abandoned={day: self._generation[day] for day in self.days if states[day] == "abandoned"},
            replacements=max((row.generation for row in self._replacements), default=0),
            undone=None if undone is None else self._replacement(key, undone),
            replaced_days=len({row.day for row in self._replacements if row.event == "replaced"}),
        )

    def entries(self) -> list[DayEntry]:
        return [
            DayEntry(
                day=day,
                generation=self._generation[day],
                state=self._state(day),
                row_count=self._rows(day),
                replacement=max(self._replaced(day), default=None),
                undone=min((row.generation for row in self._undone() if row.day == day), default=None),
            )
            for day in self.days
        ]

    def _state(self, day: date) -> str:
        events = {row.event for row in self._latest[day]}
        if "adopted" in events:
            return "adopted"
        if "prepared" not in events or ("abandoned" in events and "committed" not in events):
            return "abandoned"
        is_done = "committed" in events or not any(row.streams for row in self._latest[day])
        return "committed" if is_done else "prepared"

    def _rows(self, day: date) -> int:
        replaced = self._replaced(day)
        rows = (
            [row for row in self._replacements if row.day == day and row.generation == max(replaced)]
            if replaced
            else self._latest[day]
        )
        return max(row.row_count for row in rows)

    def _replaced(self, day: date) -> set[int]:
        return {row.generation for row in self._replacements if row.day == day and row.event == "replaced"}

    def _undone(self) -> list[Row]:
        done = {(row.day, row.generation) for row in self._replacements if row.event in {"replaced", "expired"}}
        return [
            row
            for row in sorted(self._replacements, key=lambda row: row.day)
            if row.event == "replacing" and (row.day, row.generation) not in done
        ]

    def _in_doubt(self, key: Key, days: Sequence[date]) -> tuple[Unit, ...]:
        units: dict[tuple[object, ...], list[Row]] = {}
        for row in (row for day in days for row in self._latest[day]):
            units.setdefault((row.run_id, row.generation, row.streams), []).append(row)
        return tuple(
            Unit(
                table_id=key[0],
                table_created=key[1],
                days=tuple(row.day for row in rows),
                row_counts=tuple(row.row_count for row in rows),
                generation=rows[0].generation,
                streams=rows[0].streams,
                run_id=rows[0].run_id,
            )
            for rows in units.values()
        )

    def _replacement(self, key: Key, number: int) -> Replacement:
        rows = [row for row in self._undone() if row.generation == number]
        return Replacement(
            table_id=key[0],
            table_created=key[1],
            days=tuple(row.day for row in rows),
            row_counts=tuple(row.row_count for row in rows),
            number=number,
            staging=rows[0].streams[0],
            run_id=rows[0].run_id,
        )
