"""Readers share DuckDB, and its past is not kept."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from emulator.clients import field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


@observed(repaired=True, as_it_comes=False)
def test_readers_at_the_same_time_get_their_own_rows(clients: Clients, dataset: str, expected: object) -> None:
    for n in (1, 2, 3):
        clients.make_table(f"{dataset}.t{n}", field("n"))
        clients.rows(f"INSERT {dataset}.t{n} SELECT {n} FROM UNNEST(GENERATE_ARRAY(1, {100 * n}))")

    def is_right(n: int) -> bool:
        status, answer = clients.http("GET", f"datasets/{dataset}/tables/t{n}/data")
        return status == 200 and [row["f"][0]["v"] for row in answer["rows"]] == [str(n)] * 100 * n

    with ThreadPoolExecutor(12) as threads:
        assert all(threads.map(is_right, [1, 2, 3] * 30)) == expected


@observed(repaired=(501, True), as_it_comes=(200, False))
def test_the_past_is_not_kept(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    clients.rows(f"INSERT {dataset}.t VALUES (1)")
    query = f"SELECT * FROM {dataset}.t FOR SYSTEM_TIME AS OF TIMESTAMP '{dt.datetime.now(dt.UTC).isoformat()}'"

    status, answer = clients.http("POST", "queries", {"query": query, "useLegacySql": False})

    assert (status, "FOR SYSTEM_TIME AS OF is off" in str(answer)) == expected
