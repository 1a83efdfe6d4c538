"""What the exporter writes by itself is what the generated messages read."""

from __future__ import annotations

from google.cloud.bigquery_storage_v1 import types
from hypothesis import given
from hypothesis import strategies as st

from exporter.append_request import append_request

SIZES = st.sampled_from([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 7_000_000])
STREAM = "projects/p/datasets/d/tables/t/streams/s"


@given(size=SIZES, offset=st.integers(0, 2**63 - 1), schema=st.none() | st.binary(max_size=300), view=st.booleans())
def test_the_request_is_the_message_that_google_s_own_code_reads(
    size: int,
    offset: int,
    schema: bytes | None,
    view: bool,  # noqa: FBT001 - a Hypothesis argument
) -> None:
    rows = bytes(size)
    data = append_request(stream=STREAM, offset=offset, schema=schema, rows=memoryview(rows) if view else rows)
    read = types.AppendRowsRequest.deserialize(data)
    assert (read.write_stream, read.offset) == (STREAM, offset)
    assert read.arrow_rows.rows.serialized_record_batch == rows
    assert read.arrow_rows.writer_schema.serialized_schema == (schema or b"")
    assert ("writer_schema" in read.arrow_rows) == (schema is not None)
    assert "arrow_rows" in read


@given(offset=st.integers(0, 2**63 - 1), rows=st.binary(min_size=1, max_size=300))
def test_the_request_is_byte_for_byte_what_google_s_own_code_writes(offset: int, rows: bytes) -> None:
    message = types.AppendRowsRequest(write_stream=STREAM, offset=offset)
    message.arrow_rows.writer_schema.serialized_schema = b"schema"
    message.arrow_rows.rows.serialized_record_batch = rows
    assert append_request(
        stream=STREAM, offset=offset, schema=b"schema", rows=rows
    ) == types.AppendRowsRequest.serialize(message)
