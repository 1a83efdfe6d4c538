"""A job id runs once, and a failed job says so."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from emulator.clients import field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


# A year of one table's streams, as the exporter's ledger writes it.
LEDGER = """
INSERT INTO `{dataset}.ledger` (`day`, `position`, `streams`)
SELECT `day`, `position`, @streams
FROM UNNEST(@days) AS `day` WITH OFFSET AS `position`
WHERE NOT EXISTS (
  SELECT `ledger`.`day` FROM `{dataset}.ledger` AS `ledger` WHERE `ledger`.`day` IN UNNEST(@days)
  GROUP BY `ledger`.`day` HAVING COUNTIF(`ledger`.`position` >= 0) > 0
)
"""


@observed(repaired=(["done", "409 duplicate"], [(1,)]), as_it_comes=(["done", "done"], [(2,)]))
def test_a_job_id_runs_once(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    job_id = uuid4().hex

    answers = []
    for _ in range(2):
        try:
            clients.bigquery.query(f"INSERT {dataset}.t VALUES (1)", job_id=job_id, job_retry=None).result()
            answers.append("done")
        except exceptions.Conflict as error:
            answers.append(f"{error.code} {error.errors[0]['reason']}")

    assert (answers, clients.rows(f"SELECT COUNT(*) FROM {dataset}.t")) == expected


@observed(repaired=([200, 409, 409, 409, 409, 409], [(1,)]), as_it_comes=([200] * 6, [(6,)]))
def test_of_jobs_with_one_id_at_the_same_time_one_runs(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    query = {"query": f"INSERT {dataset}.t VALUES (1)", "useLegacySql": False}
    job = {"jobReference": {"jobId": uuid4().hex}, "configuration": {"query": query}}

    with ThreadPoolExecutor(6) as threads:
        answers = threads.map(lambda _: clients.http("POST", "jobs", job)[0], range(6))

    assert (sorted(answers), clients.rows(f"SELECT COUNT(*) FROM {dataset}.t")) == expected


@observed(repaired=409, as_it_comes=200)
def test_a_job_that_failed_keeps_its_id_and_its_error(clients: Clients, expected: object) -> None:
    job_id = uuid4().hex

    with pytest.raises(exceptions.BadRequest, match="nope"):
        clients.bigquery.query("SELECT nope", job_id=job_id, job_retry=None).result()

    job = clients.bigquery.get_job(job_id)
    again = {"jobReference": {"jobId": job_id}, "configuration": {"query": {"query": "SELECT 1"}}}
    assert (job.state, job.error_result["reason"]) == ("DONE", "invalidQuery")
    assert clients.http("POST", "jobs", again)[0] == expected


def test_a_request_that_is_refused_makes_no_job(clients: Clients) -> None:
    job_id = uuid4().hex

    refused, _ = clients.http("POST", "jobs", {"jobReference": {"jobId": job_id}, "configuration": {}})

    assert refused == 400
    assert list(clients.bigquery.query("SELECT 1", job_id=job_id, job_retry=None).result())


@observed(repaired=400, as_it_comes=200)
def test_a_failed_query_is_an_http_error(clients: Clients, expected: object) -> None:
    status, _ = clients.http("POST", "queries", {"query": "SELECT nope", "useLegacySql": False})

    assert status == expected


@observed(repaired=400, as_it_comes=404)
def test_results_of_a_failed_job_are_its_http_error(clients: Clients, expected: object) -> None:
    job_id = uuid4().hex
    configuration = {"query": {"query": "SELECT nope", "useLegacySql": False}}
    clients.http("POST", "jobs", {"jobReference": {"jobId": job_id}, "configuration": configuration})

    status, _ = clients.http("GET", f"queries/{job_id}")

    assert status == expected


@observed(repaired="EU", as_it_comes="US")
def test_a_job_is_where_its_request_said(clients: Clients, expected: object) -> None:
    job = clients.bigquery.query("SELECT 1", location="EU", job_id=uuid4().hex, job_retry=None)

    assert clients.bigquery.get_job(job.job_id).location == expected


@observed(repaired=[200, 404, 404], as_it_comes=[200, 200, 200])
def test_a_job_is_found_nowhere_else(clients: Clients, expected: object) -> None:
    job = clients.bigquery.query("SELECT 1", location="europe-west1", job_id=uuid4().hex, job_retry=None)

    queries = ("?location=europe-west1", "?location=US", "")
    assert [clients.http("GET", f"jobs/{job.job_id}{query}")[0] for query in queries] == expected


@observed(repaired=[({"j": {"a": [1]}},)], as_it_comes=[({"j": '{"a":[1]}'},)])
def test_json_inside_a_record_is_json(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("r", "RECORD", fields=[field("j", "JSON")]))
    clients.rows(f"INSERT {dataset}.t (r) SELECT STRUCT(JSON '{{\"a\": [1]}}' AS j)")

    assert clients.rows(f"SELECT r FROM {dataset}.t") == expected


def test_the_ledgers_compare_and_swap_runs(clients: Clients, dataset: str) -> None:
    fields = [field("day", "DATE"), field("position"), field("streams", "STRING", "REPEATED")]
    clients.make_table(f"{dataset}.ledger", *fields)

    def prepare(days: list[dt.date], streams: list[str]) -> int | None:
        parameters = [
            bigquery.ArrayQueryParameter("days", "DATE", days),
            bigquery.ArrayQueryParameter("streams", "STRING", streams),
        ]
        config = bigquery.QueryJobConfig(query_parameters=parameters)
        sql = LEDGER.format(dataset=dataset)
        job = clients.bigquery.query(sql, job_config=config, job_id=uuid4().hex, job_retry=None)
        job.result()
        affected: int | None = job.num_dml_affected_rows
        return affected

    first, second, third = (dt.date(2025, 3, day) for day in (8, 9, 10))

    assert [prepare([first, second], ["a", "b"]), prepare([second, third], ["c"]), prepare([third], [])] == [2, 0, 1]
    assert clients.rows(f"SELECT * FROM {dataset}.ledger ORDER BY `day`") == [
        (first, 0, ["a", "b"]),
        (second, 1, ["a", "b"]),
        (third, 0, []),
    ]
