"""A stream refuses what BigQuery refuses, in its words."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow as pa
from bqemulator.config import Settings
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types

from emulator.clients import batch, field
from emulator.observed import observed
from emulator.process import WRITE_STREAM_ROWS

if TYPE_CHECKING:
    from emulator.clients import Clients


Code = types.StorageError.StorageErrorCode


def refusal(
    clients: Clients, table: str, rows: pa.RecordBatch, offset: int = 0
) -> tuple[int, int | None, tuple[int, ...]]:
    """gRPC code, StorageError code and rows at fault of an answer."""
    (response,) = clients.append(clients.pending_stream(table).name, rows, offset=offset)
    storage_error = types.StorageError()
    for detail in response.error.details:
        detail.Unpack(types.StorageError.pb(storage_error))
    return response.error.code, storage_error.code or None, tuple(error.index for error in response.row_errors)


@observed(repaired=(3, Code.SCHEMA_MISMATCH_EXTRA_FIELDS, ()), as_it_comes=(0, None, ()))
def test_columns_that_the_table_does_not_have_are_refused(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))

    assert refusal(clients, f"{dataset}.t", batch(n=[1], extra=[1])) == expected


@observed(repaired=(3, None, (1, 3)), as_it_comes=(0, None, ()))
def test_null_in_a_required_column_is_refused_with_its_rows(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n", mode="REQUIRED"))

    assert refusal(clients, f"{dataset}.t", batch(n=[1, None, 2, None])) == expected


@observed(repaired=(3, None, ()), as_it_comes=(0, None, ()))
def test_another_arrow_type_is_refused(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("ts", "TIMESTAMP"), field("s", "STRING"))
    naive = pa.array([dt.datetime(2025, 1, 1)], pa.timestamp("us"))  # noqa: DTZ001 the point

    refusals = {refusal(clients, f"{dataset}.t", batch(ts=naive)), refusal(clients, f"{dataset}.t", batch(s=[1]))}
    assert refusals == {expected}


@observed(repaired=(11, Code.OFFSET_OUT_OF_RANGE, ()), as_it_comes=(11, None, ()))
def test_an_offset_error_says_which(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))

    assert refusal(clients, f"{dataset}.t", batch(n=[1]), offset=1) == expected


@observed(repaired=(0, None, ()), as_it_comes=(8, None, ()))
def test_a_stream_holds_more_than_its_default(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))

    assert refusal(clients, f"{dataset}.t", batch(n=list(range(11)))) == expected
    assert Settings.model_fields["write_api_max_stream_rows"].default == 10_000_000 < WRITE_STREAM_ROWS


@observed(repaired=True, as_it_comes=False)
def test_only_the_first_request_names_its_stream(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    stream = clients.pending_stream(f"{dataset}.t").name
    requests = list(clients.requests(stream, batch(n=[1]), batch(n=[2])))
    requests[1].write_stream = ""

    try:
        answers = list(clients.write.append_rows(iter(requests), retry=None, timeout=30))
    except exceptions.NotFound:
        answers = []

    assert (len(answers) == 2) == expected
