"""A table's state ⇄ BigQuery's table resource."""

from __future__ import annotations

from typing import Any

from terraform.stand_in_provider.labels import read_labels
from terraform.stand_in_provider.table_schema import columns, normalized
from terraform.stand_in_provider.unknown import Unknown

Json = dict[str, Any]
State = dict[str, Any]

_INTEGERS = {  # strings in JSON
    "creation_time": "creationTime",
    "expiration_time": "expirationTime",
    "last_modified_time": "lastModifiedTime",
    "num_bytes": "numBytes",
    "num_long_term_bytes": "numLongTermBytes",
    "num_rows": "numRows",
}


def found_in(answer: Json, current: State) -> State:
    """Some things are found missing; the others stay as they were, as in the real provider."""
    found: State = {
        "description": answer.get("description"),
        "etag": answer.get("etag"),
        "friendly_name": answer.get("friendlyName"),
        "location": answer.get("location"),
        "self_link": answer.get("selfLink"),
        "type": answer.get("type"),
        **read_labels(current, answer.get("labels") or {}),
    }
    found |= {name: value for name, api_name in _INTEGERS.items() if (value := int(answer.get(api_name) or 0))}
    if answer.get("requirePartitionFilter"):
        found["require_partition_filter"] = True
    if "clustering" in answer:
        found["clustering"] = answer["clustering"]["fields"]
    if "schema" in answer:
        found["schema"] = normalized(answer["schema"].get("fields") or [])
    if partitioning := answer.get("timePartitioning"):
        found["time_partitioning"] = [
            {
                "type": partitioning["type"],
                "field": partitioning.get("field") or "",
                "expiration_ms": int(partitioning.get("expirationMs") or 0),
            }
        ]
    if view := answer.get("view"):
        found["view"] = [{"query": view["query"], "use_legacy_sql": bool(view.get("useLegacySql"))}]
    return found


def table_body(project: str, planned: State) -> Json:
    """All that is set: PUT replaces BigQuery's description of a table by this one."""
    body: Json = {
        "tableReference": {"projectId": project, "datasetId": planned["dataset_id"], "tableId": planned["table_id"]},
        "description": planned["description"],
        "friendlyName": planned["friendly_name"],
        "labels": planned["effective_labels"],
        "requirePartitionFilter": planned["require_partition_filter"],
        "expirationTime": _integer(planned["expiration_time"]),
    }
    if planned["clustering"]:
        body["clustering"] = {"fields": planned["clustering"]}
    if isinstance(planned["schema"], str):
        body["schema"] = {"fields": columns(planned["schema"])}
    for element in planned["time_partitioning"]:
        expiration = _integer(element["expiration_ms"])
        body["timePartitioning"] = _set(
            {"type": element["type"], "field": element["field"], "expirationMs": expiration}
        )
    for element in planned["view"]:
        body["view"] = {"query": element["query"]}
        # Left out when nobody said: false is not the API's default.
        if isinstance(element["use_legacy_sql"], bool):
            body["view"]["useLegacySql"] = element["use_legacy_sql"]
    return _set(body)


def _integer(value: object) -> str | None:
    return str(value) if isinstance(value, int) and value else None


def _set(body: Json) -> Json:
    return {name: value for name, value in body.items() if value and value is not Unknown}
