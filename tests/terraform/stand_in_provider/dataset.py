"""`google_bigquery_dataset` → datasets.insert, get, update and delete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from terraform.stand_in_provider.bigquery import Json, dataset_path
from terraform.stand_in_provider.errors import ApiError, ImportIdError
from terraform.stand_in_provider.labels import planned_labels, read_labels
from terraform.stand_in_provider.plan import State, as_applied, same, with_found
from terraform.stand_in_provider.protection import is_abandoned, planned_policy
from terraform.stand_in_provider.resource import Resource, changed
from terraform.stand_in_provider.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = {
    "default_collation": "defaultCollation",
    "description": "description",
    "etag": "etag",
    "friendly_name": "friendlyName",
    "is_case_insensitive": "isCaseInsensitive",
    "location": "location",
    "max_time_travel_hours": "maxTimeTravelHours",
    "storage_billing_model": "storageBillingModel",
}
_INTEGERS = {  # strings in JSON
    "creation_time": "creationTime",
    "default_partition_expiration_ms": "defaultPartitionExpirationMs",
    "default_table_expiration_ms": "defaultTableExpirationMs",
    "last_modified_time": "lastModifiedTime",
}
_OUTPUTS = {"creation_time", "etag", "last_modified_time"}
_EDITING = "Error when reading or editing Dataset: "
_HOUR_MS = 3_600_000
_IMPORT_IDS = (r"projects/([^/]+)/datasets/([^/]+)", r"([^/]+)/([^/]+)", r"()([^/]+)")


class Dataset(Resource):
    type_name = "google_bigquery_dataset"

    def problems(self, config: State) -> Iterator[tuple[str, str]]:
        dataset_id, expiration = config["dataset_id"], config["default_table_expiration_ms"]
        if isinstance(dataset_id, str) and not re.fullmatch(r"[0-9A-Za-z_]{1,1024}", dataset_id):
            yield "dataset_id", "It must contain only letters, numbers or underscores, at most 1,024."
        if isinstance(expiration, int) and expiration < _HOUR_MS:
            yield "default_table_expiration_ms", "It cannot be shorter than 3600000 milliseconds (one hour)."

    def plan_computed(self, prior: State | None, state: State, config: State) -> State:
        computed = {
            "project": self.planned_project(state, config),
            "deletion_policy": planned_policy(config, self.configuration.deletion_policy),
            **planned_labels(prior, state, self.configuration),
        }
        if prior and str(prior["location"]).lower() == str(state["location"]).lower():
            computed["location"] = prior["location"]
        return computed

    def create(self, _context: object, planned: State) -> State | None:
        project, dataset_id = self.project(planned), planned["dataset_id"]
        path = f"projects/{project}/datasets?accessPolicyVersion=3"
        self.bigquery.request("POST", path, context="Error creating Dataset: ", body=_body(project, planned))
        state = planned | {"id": f"projects/{project}/datasets/{dataset_id}", "project": project}
        return as_applied(planned, self.read(None, state))

    def read(self, _context: object, current: State) -> State | None:
        project = self.project(current)
        answer = self.bigquery.get(
            dataset_path(project, current["dataset_id"]) + "?accessPolicyVersion=3", context=_EDITING
        )
        if answer is None:
            return None
        found = {name: answer.get(api_name) for name, api_name in _NAMES.items()}
        found |= {name: int(answer[api_name]) if api_name in answer else None for name, api_name in _INTEGERS.items()}
        found["resource_tags"] = answer.get("resourceTags") or {}
        if "selfLink" in answer:
            found["self_link"] = answer["selfLink"]
        found |= read_labels(current, answer.get("labels") or {})
        kept = {
            "project": project,
            "delete_contents_on_destroy": current["delete_contents_on_destroy"] or False,
            "deletion_policy": current["deletion_policy"] or self.configuration.deletion_policy,
        }
        return with_found(self.contract(), current, found) | kept

    def update(self, _context: object, current: State, planned: State) -> State | None:
        if changed(current, planned) - {"deletion_policy"}:
            project = self.project(planned)
            path = dataset_path(project, planned["dataset_id"]) + "?accessPolicyVersion=3"
            context = f'Error updating Dataset "{current["id"]}": '
            self.bigquery.request("PUT", path, context=context, body=_body(project, planned))
        return as_applied(planned, self.read(None, planned))

    def delete(self, _context: object, current: State) -> None:
        if is_abandoned(current, "BigQueryDataset"):
            return
        contents = "true" if current["delete_contents_on_destroy"] else "false"
        path = dataset_path(self.project(current), current["dataset_id"]) + f"?deleteContents={contents}"
        try:
            self.bigquery.request("DELETE", path, context=_EDITING)
        except ApiError as error:
            if not error.is_not_found:
                raise

    def import_(self, _context: object, import_id: str) -> State:
        match = next(filter(None, (re.fullmatch(pattern, import_id) for pattern in _IMPORT_IDS)), None)
        if match is None:
            raise ImportIdError(import_id, "projects/PROJECT/datasets/DATASET")
        project, dataset_id = self.project({"project": match[1]}), match[2]
        return self.contract().empty_state() | {
            "id": f"projects/{project}/datasets/{dataset_id}",
            "project": project,
            "dataset_id": dataset_id,
            "delete_contents_on_destroy": False,
        }


def _body(project: str, planned: State) -> Json:
    """PUT replaces, so all that is set is said again, except `access`: that belongs to the grants."""
    body: dict[str, Any] = {"datasetReference": {"projectId": project, "datasetId": planned["dataset_id"]}}
    for name, api_name in (_NAMES | _INTEGERS).items():
        value = planned[name]
        if name not in _OUTPUTS and value is not Unknown and not same(value, None):
            body[api_name] = str(value) if name in _INTEGERS else value
    body["friendlyName"] = planned["friendly_name"] or ""
    maps = {"labels": planned["effective_labels"], "resourceTags": planned["resource_tags"]}
    return body | {api_name: value for api_name, value in maps.items() if value}
