"""A number of rows → a database that has as many flights."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.runs import own_environ

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightsDatabase:
    """One that is filled."""

    name: str
    """As FLIGHTS_DATABASE takes it."""
    rows: int
    last_day: str
    digest: list[int]
    """Of a table that has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Files of SQLite, which are kept for the next time, or databases of a running PostgreSQL."""

    directory: Path
    postgresql: Any = None
    one_day: bool = False

    @property
    def kind(self) -> str:
        days = "in a day" if self.one_day else "in a year"
        return f"{days}, {'SQLite' if self.postgresql is None else 'PostgreSQL'}"

    def of(self, rows: int) -> FlightsDatabase:
        name = f"flights_{rows}{'_in_a_day' if self.one_day else ''}"
        if self.postgresql is None:
            path = self.directory / f"{name}.sqlite3"
            facts = path.with_suffix(".json")
            if not facts.exists():
                for leftover in self.directory.glob(f"{path.name}*"):
                    leftover.unlink()
                self._fill(str(path), rows, facts)
            return _read(facts, str(path))
        self.postgresql.psql(f"CREATE DATABASE {name};")
        with tempfile.TemporaryDirectory() as directory:
            facts = Path(directory, "facts.json")
            url = self.postgresql.get_uri(name)
            self._fill(url, rows, facts)
            return _read(facts, url)

    def _fill(self, database: str, rows: int, facts: Path) -> None:
        """`facts` is written last: what was interrupted is filled again."""
        command = [sys.executable, "-P", str(HERE / "fill_database.py"), str(rows), str(int(self.one_day)), str(facts)]
        subprocess.run(command, env={**own_environ(), "FLIGHTS_DATABASE": database}, check=True)


def _read(facts: Path, name: str) -> FlightsDatabase:
    found = json.loads(facts.read_text("utf-8"))
    return FlightsDatabase(name=name, rows=found["rows"], last_day=found["last_day"], digest=found["digest"])
