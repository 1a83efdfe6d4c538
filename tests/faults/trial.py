"""One warehouse under fire → whether it holds the source in the end, each row once."""

from __future__ import annotations

import json
import random
import signal
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from faults.project import source
from faults.runs import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from emulator.warehouse import WarehouseCopy
    from faults.runs import Launcher, Run

SIZES: Mapping[str, Mapping[str, int]] = {
    # Several units of a table, several requests of a unit, and days that are too large to share a unit.
    "small": {
        "exporter.unit.UNIT_ROWS": 100,
        "exporter.unit.HELD_BYTES": 8_000,
        "exporter.payloads.TARGET_BYTES": 4_000,
        "exporter.batches._CHUNK_BYTES": 2_000,
    },
    "middle": {"exporter.unit.UNIT_ROWS": 300, "exporter.payloads.TARGET_BYTES": 16_000},
    # Days that are too large to share a unit, each of them in up to four streams.
    "streams": {
        "exporter.unit.HELD_BYTES": 8_000,
        "exporter.payloads.TARGET_BYTES": 1_500,
        "exporter.batches._CHUNK_BYTES": 1_000,
        "exporter.write_streams.STREAM_BYTES": 3_000,
    },
    # As a user has them: one unit of each table, one request of each unit.
    "large": {},
}


def some_sizes(seed: object) -> str:
    """The same for the same seed."""
    return random.Random(f"{seed}").choice(list(SIZES))


def some_workers(seed: object) -> int:
    """Two of them take turns at three tables, three have one each."""
    return random.Random(f"{seed}").choice((2, 3))


TABLES = ("visit", "tally", "parcel")
_SHOWN = 10
NOTHING_NEW = "".join(f"{table}  nothing new, exported to {source.LAST_DAY}\n" for table in TABLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A dataset of its own, and all runs that export the source into it."""

    warehouse: WarehouseCopy
    launcher: Launcher
    databases: Sequence[Path]
    directory: Path
    runs: list[Run] = field(default_factory=list)
    """All that were started, also those that have ended."""
    workers: int = 1
    task: tuple[int, int] | None = None
    """Runs are this one, from 0 on, of so many tasks of an execution of Cloud Run's, or attempts of it."""

    def with_runs(self, *, workers: int = 1, task: tuple[int, int] | None = None) -> Self:
        """The same warehouse, exported to by such runs from now on."""
        return replace(self, workers=workers, task=task)

    def start(
        self, *, sizes: str = "small", at: str = "", sends: str = "", fresh: bool = False, replacing: int | None = None
    ) -> Run:
        """One run; at the step `at` it sends itself a signal. `replacing`: the corrected days, with this edition."""
        edition = replacing or 0
        environ = {
            **self.warehouse.clients.emulator.environ,
            "DJANGO_SETTINGS_MODULE": "faults.project.settings",
            "FAULTS_AT": at,
            "FAULTS_DATABASE": str(self.databases[edition]),
            "FAULTS_DATASET": self.warehouse.dataset,
            "FAULTS_EDITION": f"{edition}",
            "FAULTS_SIGNAL": sends,
            "FAULTS_SIZES": json.dumps(SIZES[sizes]),
            **_said_to_task(self.task),
        }
        directory = self.directory / f"run-{len(self.runs)}"
        argv = ["smolqwery_extract", "--to", f"{source.LAST_DAY}"]
        if replacing is not None:
            argv[1:] = ["--replace", "--from", f"{source.CORRECTED[0]}", "--to", f"{source.CORRECTED[-1]}"]
        argv += ["--workers", f"{self.workers}"]
        run = self.launcher.start(directory, *argv, environ=environ, fresh=fresh)
        self.runs.append(run)
        return run

    def kill(self, *, at: str, sizes: str = "small", fresh: bool = False, replacing: int | None = None) -> Run:
        """One run that does not come further than this step."""
        run = self.start(sizes=sizes, at=at, sends="SIGKILL", fresh=fresh, replacing=replacing)
        killed = run.ended()
        assert (killed.stderr, killed.exit_code) == ("", -signal.SIGKILL), killed
        return run

    def suspended(self, *, at: str, sizes: str = "small", fresh: bool = False, replacing: int | None = None) -> Run:
        """One run that waits at this step for SIGCONT."""
        run = self.start(sizes=sizes, at=at, sends="SIGSTOP", fresh=fresh, replacing=replacing)
        assert run.is_stopped(), f"it ended before {at}"
        return run

    def finish(self, *, sizes: str = "small", fresh: bool = False) -> None:
        """What follows is an ordinary run, which says nothing but what it has done; and then all is there."""
        done = self.start(sizes=sizes, fresh=fresh).ended()
        assert (done.stderr, done.exit_code) == ("", 0), done
        self.require_finished()

    def require_finished(self, *editions: int) -> None:
        """A run finds nothing to do, and what is there is the source; the corrected days by table of this edition."""
        found = self.with_runs().start().ended()
        assert found == Ended(NOTHING_NEW, "", 0), found
        self.require_source(*editions)

    def require_source(self, *editions: int) -> None:
        """Every row of the source is there once, no other is, and the ledger knows it."""
        wrong = [
            f"{table}: {difference}"
            for table, edition in zip(TABLES, editions or (0,) * len(TABLES), strict=True)
            for difference in self._differences(table, edition)
        ][:_SHOWN]
        ledger, expected = self._ledger(), {table: _ledger_of_source(table) for table in TABLES}
        if ledger != expected:
            wrong.append(f"the ledger has {ledger}, not {expected}")
        assert not wrong, "\n".join(wrong)

    def editions(self) -> tuple[int, ...]:
        """Of the corrected days, by table. Raises ValueError: of none, or not of one."""
        return tuple(
            [not self._differences(table, edition) for edition in source.EDITIONS].index(True) for table in TABLES
        )

    def _differences(self, table: str, edition: int) -> list[str]:
        there, source_rows = Counter(repr(row) for row in self.warehouse.rows(table, clauses="")), _rows(table, edition)
        lost = [f"lost {number} times {row}" for row, number in (source_rows - there).items()]
        return lost + [f"{number} times too many {row}" for row, number in (there - source_rows).items()]

    def _ledger(self) -> dict[str, dict[date, list[str]]]:
        """By table and day, what was prepared and not abandoned: of each day once, and committed, if all is well."""
        prepared: dict[tuple[str, date, int], list[tuple[int, bool]]] = defaultdict(list)
        events: dict[tuple[str, date, int], set[str]] = defaultdict(set)
        columns = "`table_id`, `day`, `generation`, `event`, `row_count`, ARRAY_LENGTH(`streams`)"
        for table, day, generation, event, rows, streams in self.warehouse.ledger(columns):
            events[table, day, generation].add(event)
            if event == "prepared":
                prepared[table, day, generation].append((rows, streams > 0))
        live: dict[str, dict[date, list[str]]] = defaultdict(lambda: defaultdict(list))
        for (table, day, generation), units in prepared.items():
            happened = events[table, day, generation]
            if "abandoned" not in happened:
                live[table][day] += [
                    f"{rows} rows" if "committed" in happened or not streams else f"{rows} rows in doubt"
                    for rows, streams in units
                ]
        return {table: dict(days) for table, days in live.items()}


def _said_to_task(task: tuple[int, int] | None) -> dict[str, str]:
    """By Cloud Run."""
    if task is None:
        return {}
    index, count = task
    said = {"CLOUD_RUN_TASK_INDEX": f"{index}", "CLOUD_RUN_TASK_COUNT": f"{count}"}
    return {"CLOUD_RUN_EXECUTION": "export-x7k2p", **said}


def _ledger_of_source(table: str) -> dict[date, list[str]]:
    counts: dict[str, Callable[[date], int]] = {
        "visit": lambda day: len(source.visits(day)),
        "tally": lambda _: 1,
        "parcel": lambda day: len(source.parcels(day)),
    }
    return {day: [f"{counts[table](day)} rows"] for day in source.DAYS}


def _rows(table: str, edition: int) -> Counter[str]:
    """The source as BigQuery's client gives it back, without asking the exporter how it does that."""
    rows: list[tuple[Any, ...]] = []
    for day in source.DAYS:
        of_day = edition if day in source.CORRECTED else 0
        if table == "visit":
            rows += [(one.at, one.number, one.page, one.visitor) for one in source.visits(day, of_day)]
        elif table == "tally":
            rows += [(day, source.visits_to(day, of_day))]
        else:
            rows += [_parcel(day, one) for one in source.parcels(day, of_day)]
    return Counter(map(repr, rows))


def _parcel(day: date, sent: source.ParcelSent) -> tuple[Any, ...]:
    items: list[dict[str, Any]] = [{"name": name, "pieces": pieces} for name, pieces in sent.contents]
    largest = max(items, key=lambda item: item["pieces"], default=None)
    return (day, sent.number, items, list(sent.tags), largest, sent.price)
