"""Plans as `terraform show -json` prints them, from what is special about each."""

from __future__ import annotations

import json
import re
from typing import Any

Json = dict[str, Any]


def column(name: str, column_type: str = "STRING", mode: str = "NULLABLE", **more: Any) -> Json:
    return {"name": name, "type": column_type, "mode": mode, **more}


def change(address: str, *actions: str, before: Json | None = None, after: Json | None = None, **more: Any) -> Json:
    """`more` are further keys of the change, or of the resource where the change has no such key."""
    of_resource: Json = {
        name: more.pop(name) for name in ("action_reason", "deposed", "previous_address") if name in more
    }
    resource_type, _, name = re.sub(r"\[.*?\]", "", address, flags=re.DOTALL).rpartition(".")
    unknown: Json = {"after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}
    return {
        "address": address,
        "mode": "managed",
        "type": resource_type.rpartition(".")[2],
        "name": name,
        "change": {"actions": list(actions), "before": before, "after": after, **unknown, **more},
        **of_resource,
    }


def table(name: str, *columns: Json, **attributes: Any) -> Json:
    """A table's attributes."""
    base = {"dataset_id": "shop", "table_id": name, "deletion_protection": True, "view": [], "time_partitioning": []}
    return {**base, "schema": json.dumps(columns), **attributes}


def view(name: str, query: str, **attributes: Any) -> Json:
    return table(
        name, **{"view": [{"query": query, "use_legacy_sql": False}], "deletion_protection": False, **attributes}
    )


def plan(*changes: Json, **more: Any) -> bytes:
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "complete": True,
        "errored": False,
        **more,
    }
    return json.dumps(document).encode()
