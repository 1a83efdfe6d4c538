"""`google_bigquery_table`, views too → tables.insert, get, update and delete, and DROP COLUMN."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from terraform.stand_in_provider.bigquery import dataset_path, table_path
from terraform.stand_in_provider.errors import DeletionProtectedError, ImportIdError
from terraform.stand_in_provider.labels import planned_labels
from terraform.stand_in_provider.plan import Path, State, as_applied, with_found
from terraform.stand_in_provider.protection import is_abandoned, planned_policy
from terraform.stand_in_provider.resource import Resource, changed
from terraform.stand_in_provider.table_rest import found_in, table_body
from terraform.stand_in_provider.table_schema import columns, is_changeable, is_same_schema, normalized

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIENT_SIDE = {"deletion_protection", "deletion_policy"}
_PARTITIONS = ("DAY", "HOUR", "MONTH", "YEAR")
_IMPORT_IDS = (
    r"projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)",
    r"([^/]+)/([^/]+)/([^/]+)",
    r"()([^/]+)/([^/]+)",
)


class Table(Resource):
    type_name = "google_bigquery_table"

    def problems(self, config: State) -> Iterator[tuple[str, str]]:
        if isinstance(config["schema"], str) and (problem := _schema_problem(config["schema"])):
            yield "schema", problem
        if isinstance(config["clustering"], list) and len(config["clustering"]) > 4:
            yield "clustering", "At most 4 columns."
        for element in config["time_partitioning"] if isinstance(config["time_partitioning"], list) else []:
            if isinstance(element["type"], str) and element["type"] not in _PARTITIONS:
                yield "time_partitioning", f"type must be one of {', '.join(_PARTITIONS)}, not {element['type']}."

    def plan_computed(self, prior: State | None, state: State, config: State) -> State:
        return {
            "project": self.planned_project(state, config),
            "deletion_policy": planned_policy(config, self.configuration.deletion_policy),
            "schema": _planned_schema(prior, state),
            **planned_labels(prior, state, self.configuration),
        }

    def plan_replaced_by(self, prior: State, state: State) -> tuple[Path, ...]:
        if not isinstance(state["schema"], str) or state["schema"] == prior["schema"]:
            return ()
        return () if is_changeable(columns(prior["schema"]), columns(state["schema"])) else (("schema",),)

    def create(self, _context: object, planned: State) -> State | None:
        project, dataset_id, table_id = self._name(planned)
        body = table_body(project, planned)
        # BigQuery takes a view's schema only once the view is there.
        schema_of_view = body.pop("schema", None) if "view" in body else None
        self.bigquery.request("POST", dataset_path(project, dataset_id) + "/tables", body=body)
        if schema_of_view:
            path = table_path(project, dataset_id, table_id)
            self.bigquery.request("PUT", path, body=body | {"schema": schema_of_view})
        return as_applied(planned, self.read(None, planned))

    def read(self, _context: object, current: State) -> State | None:
        project, dataset_id, table_id = self._name(current)
        answer = self.bigquery.get(table_path(project, dataset_id, table_id))
        if answer is None:
            return None
        return with_found(self.contract(), current, found_in(answer, current)) | {
            "id": f"projects/{project}/datasets/{dataset_id}/tables/{table_id}",
            "project": project,
            "deletion_policy": current["deletion_policy"] or self.configuration.deletion_policy,
        }

    def update(self, _context: object, current: State, planned: State) -> State | None:
        if changed(current, planned) - _CLIENT_SIDE:
            path = table_path(*self._name(planned))
            body = table_body(self.project(planned), planned)
            self._drop_columns(planned)
            self.bigquery.request("PUT", path, body=body)
        return as_applied(planned, self.read(None, planned))

    def delete(self, _context: object, current: State) -> None:
        if is_abandoned(current, f'"{current["id"]}"'):
            return
        if current["deletion_protection"]:
            raise DeletionProtectedError(current["id"])
        self.bigquery.request("DELETE", table_path(*self._name(current)))

    def import_(self, _context: object, import_id: str) -> State:
        match = next(filter(None, (re.fullmatch(pattern, import_id) for pattern in _IMPORT_IDS)), None)
        if match is None:
            raise ImportIdError(import_id, "projects/PROJECT/datasets/DATASET/tables/TABLE")
        project, dataset_id, table_id = self.project({"project": match[1]}), match[2], match[3]
        return self.contract().empty_state() | {
            "id": f"projects/{project}/datasets/{dataset_id}/tables/{table_id}",
            "project": project,
            "dataset_id": dataset_id,
            "table_id": table_id,
            "deletion_protection": True,
        }

    def _name(self, state: State) -> tuple[str, str, str]:
        return self.project(state), state["dataset_id"], state["table_id"]

    def _drop_columns(self, planned: State) -> None:
        """PUT cannot drop a column, SQL can: what BigQuery has and the plan has not."""
        name = self._name(planned)
        answer = self.bigquery.request("GET", table_path(*name))
        if not isinstance(planned["schema"], str) or "schema" not in answer:
            return
        kept = {column["name"] for column in columns(planned["schema"])}
        dropped = [column["name"] for column in answer["schema"].get("fields", []) if column["name"] not in kept]
        if dropped:
            clauses = ", ".join(f"DROP COLUMN `{column}`" for column in dropped)
            body = {"query": f"ALTER TABLE `{'.'.join(name)}` {clauses}", "useLegacySql": False}
            self.bigquery.query(name[0], body)


def _planned_schema(prior: State | None, state: State) -> object:
    schema = state["schema"]
    if not isinstance(schema, str):
        return schema
    if prior and prior["schema"] is not None and is_same_schema(columns(prior["schema"]), columns(schema)):
        return prior["schema"]
    return normalized(schema)


def _schema_problem(schema: str) -> str | None:
    try:
        parsed = json.loads(schema)
    except ValueError as error:
        return f"It contains invalid JSON: {error}"
    if not isinstance(parsed, list):
        return "It is not a JSON array."
    if not all(isinstance(column, dict) and "name" in column for column in parsed):
        return "Every element is an object with a name."
    return None
