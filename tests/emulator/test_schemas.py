"""A schema changes as BigQuery lets it: in the data too, and only to what old rows can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions

from emulator.clients import field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


@observed(repaired=[(1, None, [])], as_it_comes="BadRequest")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_new_column_exists_in_old_rows(clients: Clients, dataset: str, method: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    clients.rows(f"INSERT {dataset}.t (n) VALUES (1)")
    fields = [field("n"), field("s", "STRING"), field("l", "STRING", "REPEATED")]

    status, _ = clients.http(method, f"datasets/{dataset}/tables/t", {"schema": {"fields": fields}})

    assert status == 200
    if expected == "BadRequest":
        with pytest.raises(exceptions.BadRequest):
            clients.rows(f"SELECT n, s, l FROM {dataset}.t")
    else:
        assert clients.rows(f"SELECT n, s, l FROM {dataset}.t") == expected


def test_a_new_nested_field_exists_in_old_rows(clients: Clients, dataset: str) -> None:
    inner, outer = field("group", "RECORD", "REPEATED", fields=[field("a")]), field("order")
    clients.make_table(f"{dataset}.t", field("r", "RECORD", fields=[inner, outer]))
    clients.rows(f"INSERT {dataset}.t (r) SELECT STRUCT([STRUCT(1 AS a)] AS `group`, 5 AS `order`)")
    wider = [field("b", "STRING", "REPEATED"), inner | {"fields": [field("at", "STRING"), field("a")]}, outer]

    status, answer = clients.http(
        "PUT", f"datasets/{dataset}/tables/t", {"schema": {"fields": [field("r", "RECORD", fields=wider)]}}
    )

    assert (status, answer["schema"]["fields"][0]["fields"][-1]["name"]) == (200, "b")
    assert clients.rows(f"SELECT r FROM {dataset}.t") == [({"group": [{"a": 1, "at": None}], "order": 5, "b": []},)]


@observed(repaired=200, as_it_comes=500)
def test_a_nested_field_may_be_called_order(clients: Clients, dataset: str, expected: object) -> None:
    status, _ = clients.make_table(f"{dataset}.t", field("r", "RECORD", fields=[field("order")]))

    assert status == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param(
            [field("n"), field("s", "STRING", "REQUIRED"), field("new", mode="REQUIRED")],
            "Cannot add required fields to an existing schema. (field: new)",
            id="new required column",
        ),
        pytest.param([field("n")], "Field s is missing in new schema", id="dropped column"),
        pytest.param(
            [field("n", "FLOAT"), field("s", "STRING", "REQUIRED")],
            "Field n has changed type from INTEGER to FLOAT",
            id="other type",
        ),
        pytest.param(
            [field("n", mode="REQUIRED"), field("s", "STRING", "REQUIRED")],
            "Field n has changed mode from NULLABLE to REQUIRED",
            id="tighter mode",
        ),
    ],
)
@observed(repaired=400, as_it_comes=200)
def test_a_breaking_schema_is_refused(
    clients: Clients, dataset: str, fields: list[dict[str, Any]], reason: str, expected: object
) -> None:
    clients.make_table(f"{dataset}.t", field("n"), field("s", "STRING", "REQUIRED"))

    status, answer = clients.http("PUT", f"datasets/{dataset}/tables/t", {"schema": {"fields": fields}})

    assert status == expected
    if status == 400:
        wanted = f"Provided Schema does not match Table example-project:{dataset}.t. {reason}"
        assert answer["error"]["message"] == wanted


def test_a_column_can_be_relaxed_reordered_and_described(clients: Clients, dataset: str) -> None:
    clients.make_table(f"{dataset}.t", field("n"), field("s", "STRING", "REQUIRED"))
    fields = [field("new", "DATE"), field("s", "STRING", description="Text."), field("n")]

    _, answer = clients.http("PUT", f"datasets/{dataset}/tables/t", {"schema": {"fields": fields}})

    assert answer["schema"]["fields"] == [field("n"), field("s", "STRING", description="Text."), field("new", "DATE")]


@observed(repaired=400, as_it_comes=200)
def test_partitioning_cannot_change(clients: Clients, dataset: str, expected: object) -> None:
    partitioning = {"type": "DAY", "field": "ts"}
    clients.make_table(f"{dataset}.t", field("ts", "TIMESTAMP"), timePartitioning=partitioning)

    status, _ = clients.http(
        "PATCH", f"datasets/{dataset}/tables/t", {"timePartitioning": partitioning | {"type": "MONTH"}}
    )

    assert status == expected


@observed(repaired=(200, ["c"], 200), as_it_comes=(200, ["a", "b", "c"], 200))
def test_columns_are_dropped_the_way_terraform_does_it(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("a"), field("b"), field("c", description="Kept."))
    drop = f"ALTER TABLE `example-project.{dataset}.t` DROP COLUMN `a`, DROP COLUMN `b`"

    dropped, _ = clients.http("POST", "queries", {"query": drop, "useLegacySql": False})
    _, resource = clients.http("GET", f"datasets/{dataset}/tables/t")
    put, _ = clients.http("PUT", f"datasets/{dataset}/tables/t", {"schema": {"fields": [field("c")]}})

    assert (dropped, [column["name"] for column in resource["schema"]["fields"]], put) == expected


@observed(repaired=501, as_it_comes=500)
def test_bignumeric_is_refused_at_once(clients: Clients, dataset: str, expected: object) -> None:
    status, _ = clients.make_table(f"{dataset}.t", field("n", "BIGNUMERIC"))

    assert status == expected
