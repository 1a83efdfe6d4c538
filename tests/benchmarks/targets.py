"""Where rows go: the emulator, or the sink, and how many of them are there."""

from __future__ import annotations

import dataclasses
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import urlopen

from benchmarks.digest import digest_sql
from emulator.clients import Clients, clients_of
from emulator.process import running_emulator, running_server
from emulator.warehouse import WarehouseCopy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.databases import FlightsDatabase
    from benchmarks.tools import Tool

TABLE = "departure"
_MODEL_NAMES = {"timestamp": "scheduled_at", "flight": "number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server that is running."""

    name: str
    clients: Clients
    keeps_rows: bool

    def prepare(self, dataset: str, tool: Tool) -> None:
        """What Terraform makes, for a tool that exports to it."""
        warehouse = dataclasses.replace(WarehouseCopy.of_settings(self.clients), dataset=dataset)
        if tool.makes_table:
            warehouse.send("POST", "datasets", {"datasetReference": {"datasetId": dataset}, "location": "EU"})
            return
        warehouse.make_all()
        if tool.model_names:
            columns = warehouse.schema(TABLE)
            renamed = [column | {"name": _MODEL_NAMES.get(column["name"], column["name"])} for column in columns]
            warehouse.drop_table(TABLE)
            warehouse.make_table(TABLE, renamed, dataset=dataset)

    def problem(self, dataset: str, tool: Tool, database: FlightsDatabase) -> str | None:
        """What is wrong with what arrived."""
        if not self.keeps_rows:
            with urlopen(f"{self.clients.emulator.rest_url}/rows") as answer:
                rows = json.load(answer).get(dataset, 0)
            return None if rows == database.rows else f"{rows:,} of {database.rows:,} rows"
        sql = digest_sql(f"{self.clients.emulator.project}.{dataset}.{TABLE}", model_names=tool.model_names)
        (found,) = self.clients.rows(sql)
        return None if list(found) == database.digest else f"{list(found)} instead of {database.digest}"

    def drop(self, dataset: str) -> None:
        if self.keeps_rows:
            for name in (dataset, f"{dataset}_exporter"):
                self.clients.http("DELETE", f"datasets/{name}?deleteContents=true")


@contextmanager
def running_target(*, keeps_rows: bool, repaired: bool = True) -> Iterator[Target]:
    """The emulator, `repaired` or as it comes, or the sink."""
    if keeps_rows:
        with running_emulator(repaired=repaired) as emulator:
            name = "the emulator" if repaired else "bqemulator as it comes"
            yield Target(name=name, clients=clients_of(emulator), keeps_rows=True)
    else:
        with running_server([sys.executable, "-P", "-m", "benchmarks.sink"]) as sink:
            yield Target(name="a sink", clients=clients_of(sink), keeps_rows=False)
