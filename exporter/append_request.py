"""An append → the bytes of its AppendRowsRequest, with the megabytes of its rows copied once."""

from __future__ import annotations

from google.cloud.bigquery_storage_v1 import types

# The generated message would hold a copy of the rows and make another one when it is serialized: that costs as much as
# to read them from the database. Field numbers: google/cloud/bigquery/storage/v1/storage.proto and arrow.proto.
_ARROW_ROWS = 5  # of AppendRowsRequest
_ROWS = 2  # of AppendRowsRequest.ArrowData
_SERIALIZED_RECORD_BATCH = 1  # of ArrowRecordBatch


def append_request(*, stream: str, offset: int, schema: bytes | None, rows: bytes | memoryview) -> bytes:
    """`rows`: a serialized record batch. `schema`: a serialized one, in the first request of a call."""
    head: bytes = types.AppendRowsRequest.serialize(types.AppendRowsRequest(write_stream=stream, offset=offset))
    writer_schema = types.ArrowSchema(serialized_schema=schema) if schema is not None else None
    arrow_data: bytes = types.AppendRowsRequest.ArrowData.serialize(
        types.AppendRowsRequest.ArrowData(writer_schema=writer_schema)
    )
    batch = _begun(_SERIALIZED_RECORD_BATCH, len(rows))
    arrow_data += _begun(_ROWS, len(batch) + len(rows)) + batch
    return b"".join((head, _begun(_ARROW_ROWS, len(arrow_data) + len(rows)), arrow_data, rows))


def _begun(field: int, size: int) -> bytes:
    """What comes before a field of so many bytes. https://protobuf.dev/programming-guides/encoding/#length-types"""
    return _varint(field << 3 | 2) + _varint(size)


def _varint(number: int) -> bytes:
    rest, digit = number >> 7, number & 0x7F
    return bytes((digit | 0x80,)) + _varint(rest) if rest else bytes((digit,))
