"""A table or view shows all that was written, so that Terraform's next plan is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from google.cloud import bigquery

from emulator.clients import batch, field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


ATTRIBUTES = [
    field("n", "NUMERIC", precision="10", scale="2"),
    field("s", "STRING", maxLength="7", defaultValueExpression="'x'", policyTags={"names": ["projects/p/tag"]}),
    field("r", "RECORD", fields=[field("n", "NUMERIC", precision="5")]),
]


@observed(repaired=(404, "notFound"), as_it_comes=(500, "internalError"))
def test_a_table_needs_its_dataset(clients: Clients, expected: object) -> None:
    status, answer = clients.make_table("missing.t", field("n"))

    assert (status, answer["error"]["errors"][0]["reason"]) == expected


@observed(repaired="europe-west1", as_it_comes=None)
def test_a_table_is_where_its_dataset_is(clients: Clients, expected: object) -> None:
    dataset = bigquery.Dataset(f"example-project.d{uuid4().hex[:12]}")
    dataset.location = "europe-west1"
    clients.bigquery.create_dataset(dataset)
    clients.make_table(f"{dataset.dataset_id}.t", field("n"))

    assert clients.bigquery.get_table(f"{dataset.dataset_id}.t").location == expected


@observed(
    repaired=ATTRIBUTES,
    as_it_comes=[
        field("n", "NUMERIC"),
        field("s", "STRING"),
        field("r", "RECORD", fields=[field("n", "NUMERIC")]),
    ],
)
def test_every_attribute_of_a_column_comes_back(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", *ATTRIBUTES)

    assert clients.http("GET", f"datasets/{dataset}/tables/t")[1]["schema"]["fields"] == expected


@observed(repaired=["INTEGER", "FLOAT", "BOOLEAN"], as_it_comes=["INT64", "FLOAT64", "BOOL"])
def test_types_come_back_with_the_apis_names(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("i", "INT64"), field("f", "FLOAT64"), field("b", "BOOL"))

    _, resource = clients.http("GET", f"datasets/{dataset}/tables/t")

    assert [column["type"] for column in resource["schema"]["fields"]] == expected


@observed(repaired=(True, "1800000000000"), as_it_comes=(None, None))
def test_partition_filter_and_expiration_come_back(clients: Clients, dataset: str, expected: object) -> None:
    partitioning = {"type": "DAY", "field": "ts"}
    attributes = {"requirePartitionFilter": True, "expirationTime": "1800000000000"}
    clients.make_table(f"{dataset}.t", field("ts", "TIMESTAMP"), timePartitioning=partitioning, **attributes)

    _, resource = clients.http("GET", f"datasets/{dataset}/tables/t")

    assert (resource.get("requirePartitionFilter"), resource.get("expirationTime")) == expected


@observed(repaired=(None, None, None), as_it_comes=("before", {"team": "data"}, {"fields": ["n"]}))
def test_put_replaces_a_table(clients: Clients, dataset: str, expected: object) -> None:
    attributes = {"description": "before", "labels": {"team": "data"}, "clustering": {"fields": ["n"]}}
    clients.make_table(f"{dataset}.t", field("n"), **attributes)

    clients.http("PUT", f"datasets/{dataset}/tables/t", {"schema": {"fields": [field("n")]}})

    _, after = clients.http("GET", f"datasets/{dataset}/tables/t")
    assert tuple(after.get(key) for key in attributes) == expected


@observed(
    repaired=({"query": "SELECT n, n * 2 AS `order` FROM {}.t", "useLegacySql": False}, ["n", "order"]),
    as_it_comes=(None, None),
)
def test_a_view_shows_its_query_and_columns(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    clients.rows(f"INSERT {dataset}.t VALUES (1)")
    view = {"query": f"SELECT n, n * 2 AS `order` FROM {dataset}.t", "useLegacySql": False}
    clients.http("POST", f"datasets/{dataset}/tables", {"tableReference": {"tableId": "v"}, "view": view})

    _, resource = clients.http("GET", f"datasets/{dataset}/tables/v")

    shown = resource.get("view") and resource["view"] | {"query": resource["view"]["query"].replace(dataset, "{}")}
    columns = "schema" in resource and [column["name"] for column in resource["schema"]["fields"]]
    assert (shown, columns or None) == expected
    assert clients.rows(f"SELECT * FROM {dataset}.v") == [(1, 2)]


@observed(repaired=["a", "b"], as_it_comes=None)
def test_a_new_query_gives_a_view_new_columns(clients: Clients, dataset: str, expected: object) -> None:
    path = f"datasets/{dataset}/tables"
    before = {"tableReference": {"tableId": "v"}, "view": {"query": "SELECT 1 AS a", "useLegacySql": False}}
    clients.http("POST", path, before)
    # Terraform sends the old schema along.
    after = before | {"view": {"query": "SELECT 1 AS a, 2 AS b", "useLegacySql": False}}
    clients.http("PUT", f"{path}/v", after | ({} if expected is None else {"schema": {"fields": [field("a")]}}))

    _, resource = clients.http("GET", f"{path}/v")

    columns = [column["name"] for column in resource.get("schema", {}).get("fields", ())]
    assert (columns or None) == expected
    assert clients.rows(f"SELECT * FROM {dataset}.v") == [(1, 2)]


@observed(repaired=404, as_it_comes=200)
def test_a_view_of_a_missing_table_is_refused(clients: Clients, dataset: str, expected: object) -> None:
    view = {"query": f"SELECT * FROM {dataset}.missing", "useLegacySql": False}

    status, _ = clients.http("POST", f"datasets/{dataset}/tables", {"tableReference": {"tableId": "v"}, "view": view})

    assert status == expected


@observed(repaired=1, as_it_comes=2)
def test_a_table_counts_its_rows(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    clients.commit(f"{dataset}.t", clients.finalized_stream(f"{dataset}.t", batch(n=[1, 2])))

    clients.rows(f"DELETE FROM {dataset}.t WHERE n = 1")

    assert clients.bigquery.get_table(f"{dataset}.t").num_rows == expected
