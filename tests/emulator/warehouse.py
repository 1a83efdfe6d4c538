"""Settings → the datasets, tables and views that Terraform would make of what codegen renders, through REST."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from codegen.introspect import warehouse_of
from codegen.render import render
from exporter.conf import load_settings
from exporter.extractors import load_extractors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.clients import Clients

_VIEW = re.compile(r'table_id += "(\w+)"(?:(?!\bresource\b).)*?<<-SQL\n(.*?)\n +SQL\n', re.DOTALL)
_REFERENCE = re.compile(r"\$\{google_bigquery_table\.(\w+)\.(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseCopy:
    """One dataset and the exporter's own beside it. Where the real provider is, tests/terraform holds the proof."""

    clients: Clients
    dataset: str
    files: Mapping[str, str]
    """What codegen renders, by path."""

    @classmethod
    def of_settings(cls, clients: Clients) -> Self:
        """Makes nothing yet."""
        settings = load_settings()
        rendered = render(warehouse_of(settings, load_extractors(settings.extractors)))
        return cls(clients=clients, dataset=settings.dataset, files=rendered)

    def make_all(self) -> None:
        for dataset in (self.dataset, f"{self.dataset}_exporter"):
            self.send("POST", "datasets", {"datasetReference": {"datasetId": dataset}, "location": "EU"})
        self.make_table("ledger", self.schema("exporter_ledger"), dataset=f"{self.dataset}_exporter")
        for table in self._layouts():
            self.make_table(table)
        for name, query in self._views():
            self.make_table(name, view={"query": query, "useLegacySql": False})

    def make_table(
        self, table: str, schema: list[dict[str, Any]] | None = None, *, dataset: str | None = None, **more: Any
    ) -> None:
        """With the schema that codegen renders, or another one."""
        body: dict[str, Any] = {"tableReference": {"tableId": table}, **more}
        layout = self._layouts().get(table, {}) if dataset is None else {}
        if layout.get("partitioning"):
            body["timePartitioning"] = layout["partitioning"]
            if layout.get("partition_expiration_ms"):
                body["timePartitioning"] |= {"expirationMs": str(layout["partition_expiration_ms"])}
        if layout.get("clustering"):
            body["clustering"] = {"fields": layout["clustering"]}
        if "view" not in more:
            body["schema"] = {"fields": self.schema(table) if schema is None else schema}
        self.send("POST", f"datasets/{dataset or self.dataset}/tables", body)

    def drop_table(self, table: str, *, dataset: str | None = None) -> None:
        self.send("DELETE", f"datasets/{dataset or self.dataset}/tables/{table}")

    def schema(self, table: str) -> list[dict[str, Any]]:
        """As codegen renders it."""
        fields: list[dict[str, Any]] = json.loads(self.files[f"schemas/{table}.json"])
        return fields

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        return self.clients.rows(query)

    def rows(self, table: str, columns: str = "*", clauses: str = "ORDER BY 1") -> list[tuple[Any, ...]]:
        """What BigQuery holds."""
        return self.sql(f"SELECT {columns} FROM `{self.name(table)}` {clauses}")

    def ledger(self, columns: str, clauses: str = "ORDER BY `recorded_at`, `day`") -> list[tuple[Any, ...]]:
        """What the exporter remembers."""
        return self.sql(f"SELECT {columns} FROM `{self.ledger_name}` {clauses}")

    def name(self, table: str) -> str:
        """As messages write it."""
        return f"{self.clients.emulator.project}.{self.dataset}.{table}"

    @property
    def ledger_name(self) -> str:
        return f"{self.clients.emulator.project}.{self.dataset}_exporter.ledger"

    def send(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self.clients.http(method, path, body)
        assert status < 300, answer
        return answer

    def _layouts(self) -> dict[str, Any]:
        tables: dict[str, Any] = json.loads(self.files["manifest.json"])["tables"]
        return tables

    def _views(self) -> list[tuple[str, str]]:
        terraform = (text for path, text in self.files.items() if path.startswith("table_"))
        found = [match for text in terraform for match in _VIEW.findall(text)]
        return [(name, _REFERENCE.sub(self._attribute, textwrap.dedent(query))) for name, query in found]

    def _attribute(self, reference: re.Match[str]) -> str:
        table, attribute = reference.groups()
        return {"project": self.clients.emulator.project, "dataset_id": self.dataset, "table_id": table}[attribute]
