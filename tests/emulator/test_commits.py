"""A commit makes all rows of all its streams visible, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types

from emulator.clients import batch, field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


Code = types.StorageError.StorageErrorCode


@observed(repaired=(Code.STREAM_ALREADY_COMMITTED, True), as_it_comes=(Code.INVALID_STREAM_STATE, False))
def test_a_stream_commits_once_and_says_when(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    stream = clients.finalized_stream(f"{dataset}.t", batch(n=[1, 2]))
    before = clients.write.get_write_stream(name=stream)

    first, second = (clients.commit(f"{dataset}.t", stream) for _ in range(2))

    after = clients.write.get_write_stream(name=stream)
    assert (second.stream_errors[0].code, after.commit_time == first.commit_time) == expected
    assert (before.commit_time, bool(first.commit_time), second.commit_time) == (None, True, None)
    assert clients.rows(f"SELECT COUNT(*) FROM {dataset}.t") == [(2,)]


def test_of_commits_at_the_same_time_one_wins_and_the_others_find_its_rows(clients: Clients, dataset: str) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    stream = clients.finalized_stream(f"{dataset}.t", batch(n=list(range(50_000))))

    def commit_and_count(_: int) -> tuple[bool, list[tuple[int]]]:
        answer = clients.commit(f"{dataset}.t", stream)
        return bool(answer.commit_time), clients.rows(f"SELECT COUNT(*) FROM {dataset}.t")

    with ThreadPoolExecutor(4) as threads:
        seen = sorted(threads.map(commit_and_count, range(4)))

    assert seen == [(False, [(50_000,)])] * 3 + [(True, [(50_000,)])]


def test_of_several_streams_all_commit_or_none(clients: Clients, dataset: str) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    streams = [clients.finalized_stream(f"{dataset}.t", batch(n=[n])) for n in (1, 2)]
    still_open = clients.pending_stream(f"{dataset}.t").name

    refused = clients.commit(f"{dataset}.t", *streams, still_open)
    none = clients.rows(f"SELECT COUNT(*) FROM {dataset}.t")
    clients.commit(f"{dataset}.t", *streams)

    assert [error.code for error in refused.stream_errors] == [Code.INVALID_STREAM_STATE]
    assert (none, clients.rows(f"SELECT COUNT(*) FROM {dataset}.t")) == ([(0,)], [(2,)])


@observed(repaired=[(1, None)], as_it_comes="Unknown")
def test_rows_sent_before_a_column_was_added_commit_after(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    stream = clients.finalized_stream(f"{dataset}.t", batch(n=[1]))
    if expected == "Unknown":  # where a PUT adds no column, SQL does
        clients.rows(f"ALTER TABLE {dataset}.t ADD COLUMN s STRING")
        with pytest.raises(exceptions.Unknown):
            clients.commit(f"{dataset}.t", stream)
        return
    clients.http("PATCH", f"datasets/{dataset}/tables/t", {"schema": {"fields": [field("n"), field("s", "STRING")]}})

    clients.commit(f"{dataset}.t", stream)

    assert clients.rows(f"SELECT n, s FROM {dataset}.t") == expected
