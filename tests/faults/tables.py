"""Datasets and tables as the REST API writes them → what it answers of them, and their rows, in one DuckDB."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from faults.columns import Column, duckdb_definition, quoted
from faults.errors import ApiError
from faults.rows import python_value
from faults.sql import to_duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from faults.clock import Clock

_KEPT = ("schema", "timePartitioning", "clustering", "expirationTime", "description", "labels", "view")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """One table, or view. Made again under the same name it is another one."""

    dataset: str
    name: str
    created: datetime
    location: str
    resource: Mapping[str, Any]
    columns: tuple[Column, ...]

    @property
    def quoted(self) -> str:
        return f"{quoted(self.dataset)}.{quoted(self.name)}"

    def is_expired(self, now: datetime) -> bool:
        return int(self.resource.get("expirationTime", 10**15)) <= now.timestamp() * 1000


class Tables:
    """All of one project. `lock` is held while anything is read or written: one statement after the other."""

    def __init__(self, project: str, clock: Clock) -> None:
        self.project = project
        self.lock = threading.RLock()
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self._clock = clock
        self._locations: dict[str, str] = {}
        self._tables: dict[tuple[str, str], Table] = {}

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def make_dataset(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ApiError, as all here that answers REST."""
        name, location = body["datasetReference"]["datasetId"], body.get("location", "US")
        with self.lock:
            if name in self._locations:
                raise ApiError("duplicate", f"Already Exists: Dataset {self.project}:{name}")
            self.connection.execute(f"CREATE SCHEMA {quoted(name)}")
            self._locations[name] = location
        reference = {"projectId": self.project, "datasetId": name}
        return {"kind": "bigquery#dataset", "datasetReference": reference, "location": location}

    def make(self, dataset: str, body: Mapping[str, Any]) -> dict[str, Any]:
        name = body["tableReference"]["tableId"]
        with self.lock:
            if dataset not in self._locations:
                raise ApiError("notFound", f"Not found: Dataset {self.project}:{dataset}")
            if self._found(dataset, name):
                raise ApiError("duplicate", f"Already Exists: Table {self.project}:{dataset}.{name}")
            table = Table(
                dataset=dataset,
                name=name,
                created=self._clock.now(),
                location=self._locations[dataset],
                resource={key: body[key] for key in _KEPT if key in body},
                columns=tuple(map(Column.from_rest, body.get("schema", {}).get("fields", ()))),
            )
            self._create(table)
            self._tables[dataset, name] = table
            return self._rest(table)

    def get(self, dataset: str, name: str) -> dict[str, Any]:
        with self.lock:
            return self._rest(self.table(dataset, name))

    def drop(self, dataset: str, name: str) -> None:
        with self.lock:
            self._drop(self.table(dataset, name))

    def table(self, dataset: str, name: str) -> Table:
        """Raises ApiError."""
        with self.lock:
            if table := self._found(dataset, name):
                return table
        raise ApiError("notFound", f"Not found: Table {self.project}:{dataset}.{name}")

    def look(self, location: str | None = None) -> Callable[[str, str, str], None]:
        """For SQL that runs in this location: raises ApiError where it names a table that is not there."""

        def look_at(project: str, dataset: str, name: str) -> None:
            if project not in ("", self.project):
                raise ApiError("notFound", f"Not found: Project {project}")
            table = self.table(dataset, name)
            if location is not None and table.location.upper() != location.upper():
                raise ApiError("notFound", f"Not found: Dataset {self.project}:{dataset} in location {location}")

        return look_at

    def is_there(self, table: Table) -> bool:
        """Whether it is still this one."""
        with self.lock:
            return self._found(table.dataset, table.name) is table

    def insert(self, rows: Sequence[tuple[Table, pa.Table]]) -> None:
        """All or nothing."""
        with self.lock:
            self.connection.begin()
            try:
                for table, arrived in rows:
                    self.connection.register("arrived", arrived)
                    self.connection.execute(f"INSERT INTO {table.quoted} BY NAME SELECT * FROM arrived")
                    self.connection.unregister("arrived")
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Of the one table of this name, in the order in which they came."""
        with self.lock:
            (table,) = [table for table in self._tables.values() if table.name == name]
            kept = self.connection.execute(f"SELECT * FROM {table.quoted}").to_arrow_table()
        for row in kept.to_pylist():
            yield {column.name: python_value(column, row[column.name]) for column in table.columns}

    def _found(self, dataset: str, name: str) -> Table | None:
        table = self._tables.get((dataset, name))
        if table is not None and table.is_expired(self._clock.now()):
            self._drop(table)
            return None
        return table

    def _create(self, table: Table) -> None:
        if "view" in table.resource:
            query = to_duckdb(table.resource["view"]["query"], parameters=(), now=table.created, look=self.look())
            self.connection.execute(f"CREATE VIEW {table.quoted} AS {query}")
        else:
            definitions = ", ".join(map(duckdb_definition, table.columns))
            self.connection.execute(f"CREATE TABLE {table.quoted} ({definitions})")

    def _drop(self, table: Table) -> None:
        kind = "VIEW" if "view" in table.resource else "TABLE"
        self.connection.execute(f"DROP {kind} {table.quoted}")
        del self._tables[table.dataset, table.name]

    def _rest(self, table: Table) -> dict[str, Any]:
        created = str(int(table.created.timestamp() * 1000))
        count = self.connection.execute(f"SELECT COUNT(*) FROM {table.quoted}").fetchone()
        assert count is not None
        return {
            "kind": "bigquery#table",
            "id": f"{self.project}:{table.dataset}.{table.name}",
            "tableReference": {"projectId": self.project, "datasetId": table.dataset, "tableId": table.name},
            "type": "VIEW" if "view" in table.resource else "TABLE",
            "location": table.location,
            "creationTime": created,
            "lastModifiedTime": created,
            "numRows": str(count[0]),
            **table.resource,
        }
