"""A stream says what it is, and dies with its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types

from emulator.clients import batch, field
from emulator.observed import observed

if TYPE_CHECKING:
    from emulator.clients import Clients


Code = types.StorageError.StorageErrorCode


@observed(repaired=True, as_it_comes=False)
def test_a_stream_remembers_when_it_was_made(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    stream = clients.pending_stream(f"{dataset}.t")

    assert (clients.write.get_write_stream(name=stream.name).create_time == stream.create_time) == expected


@observed(repaired=("STRUCT", ["n"]), as_it_comes=("STRING", []))
def test_a_stream_shows_the_fields_of_records(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("r", "RECORD", fields=[field("n")]))

    (column,) = clients.pending_stream(f"{dataset}.t").table_schema.fields

    assert (types.TableFieldSchema.Type(column.type_).name, [nested.name for nested in column.fields]) == expected


@observed(repaired="NotFound", as_it_comes=[(1,)])
def test_a_stream_dies_with_its_table(clients: Clients, dataset: str, expected: object) -> None:
    clients.make_table(f"{dataset}.t", field("n"))
    stream = clients.finalized_stream(f"{dataset}.t", batch(n=[1]))
    clients.bigquery.delete_table(f"{dataset}.t")
    clients.make_table(f"{dataset}.t", field("n"))

    commit = clients.commit(f"{dataset}.t", stream)

    if expected == "NotFound":
        assert commit.stream_errors[0].code == Code.STREAM_NOT_FOUND
        with pytest.raises(exceptions.NotFound):
            clients.write.get_write_stream(name=stream)
    else:
        assert clients.rows(f"SELECT * FROM {dataset}.t") == expected
