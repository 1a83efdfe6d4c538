"""RECORDs of any depth go through a write stream and come back as they were."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pytest
from google.api_core import exceptions

from emulator.clients import batch, field

if TYPE_CHECKING:
    from emulator.clients import Clients


SCALARS: dict[str, tuple[pa.DataType, object]] = {
    "BOOLEAN": (pa.bool_(), True),
    "INTEGER": (pa.int64(), -(2**63)),
    "FLOAT": (pa.float64(), 1.5),
    "NUMERIC": (pa.decimal128(38, 9), Decimal("12345678901234567890.123456789")),
    "STRING": (pa.string(), "Zürich"),
    "BYTES": (pa.binary(), b"\x00\xff"),
    "DATE": (pa.date32(), dt.date(1, 1, 1)),
    "DATETIME": (pa.timestamp("us"), dt.datetime(2025, 3, 9, 2, 30, 0, 1)),  # noqa: DTZ001 has no zone
    "TIMESTAMP": (pa.timestamp("us", "UTC"), dt.datetime(2025, 3, 9, 7, 30, 0, 1, tzinfo=dt.UTC)),
    "TIME": (pa.time64("us"), dt.time(23, 59, 59, 999999)),
    "JSON": (pa.string(), {"a": [1, None]}),
}


def record(depth: int) -> tuple[list[dict[str, Any]], pa.DataType, dict[str, Any], dict[str, Any]]:
    """Fields, Arrow type, a full value and an empty one of a record `depth` deep, its Arrow fields in another order."""
    fields = [field(f"c_{kind.lower()}", kind) for kind in SCALARS]
    arrow = {f"c_{kind.lower()}": arrow for kind, (arrow, _) in SCALARS.items()}
    full: dict[str, Any] = {f"c_{kind.lower()}": value for kind, (_, value) in SCALARS.items()}
    empty: dict[str, Any] = dict.fromkeys(full)
    fields.append(field("list", "STRING", "REPEATED"))
    arrow, full, empty = arrow | {"list": pa.list_(pa.string())}, full | {"list": ["a", "b"]}, empty | {"list": []}
    if depth:
        inner_fields, inner_arrow, inner_full, inner_empty = record(depth - 1)
        fields += [
            field("one", "RECORD", fields=inner_fields),
            field("many", "RECORD", "REPEATED", fields=inner_fields),
        ]
        arrow |= {"one": inner_arrow, "many": pa.list_(inner_arrow)}
        full |= {"one": inner_full, "many": [inner_empty, inner_full]}
        empty |= {"one": None, "many": []}
    return fields, pa.struct(list(reversed(arrow.items()))), full, empty


def as_arrow(value: Any) -> Any:
    """A value as a client sends it: JSON columns as text."""
    if isinstance(value, list):
        return [as_arrow(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {key: '{"a": [1, null]}' if key == "c_json" and inner else as_arrow(inner) for key, inner in value.items()}


@pytest.mark.parametrize("depth", [0, 2])
def test_records_of_any_depth_commit_and_read_back(clients: Clients, dataset: str, depth: int) -> None:
    fields, arrow, full, empty = record(depth)
    many = field("many", "RECORD", "REPEATED", fields=fields)
    clients.make_table(f"{dataset}.t", field("n", mode="REQUIRED"), field("one", "RECORD", fields=fields), many)
    rows = [(1, full, [empty, full]), (2, empty, []), (3, None, [full])]
    schema = pa.schema([("many", pa.list_(arrow)), ("n", pa.int64()), ("one", arrow)])
    sent = [{"n": n, "one": as_arrow(one), "many": as_arrow(many)} for n, one, many in rows]

    # The second batch is a slice, whose arrays begin at an offset.
    batches = [pa.RecordBatch.from_pylist(sent[:1], schema), pa.RecordBatch.from_pylist(sent, schema).slice(1)]
    commit = clients.commit(f"{dataset}.t", clients.finalized_stream(f"{dataset}.t", *batches))

    assert commit.commit_time
    assert clients.rows(f"SELECT * FROM {dataset}.t ORDER BY n") == rows


def test_bqemulator_as_it_comes_cannot_commit_records(as_it_comes: Clients) -> None:
    dataset = as_it_comes.bigquery.create_dataset(f"d{uuid4().hex[:12]}").dataset_id
    as_it_comes.make_table(f"{dataset}.t", field("r", "RECORD", fields=[field("n")]))
    stream = as_it_comes.finalized_stream(f"{dataset}.t", batch(r=[{"n": 1}]))

    with pytest.raises(exceptions.Unknown, match="STRUCT with no fields"):
        as_it_comes.commit(f"{dataset}.t", stream)
