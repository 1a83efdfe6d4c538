"""Record batches → a table, by one PENDING stream and nothing else: no retry, no check, no ledger."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import grpc
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

_REQUEST_BYTES = 3_000_000


def append(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """To the table `departure` of the dataset that the environment names."""
    channel = grpc.insecure_channel(os.environ["BIGQUERY_STORAGE_EMULATOR_HOST"])
    client = BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))
    project, dataset = os.environ["GOOGLE_CLOUD_PROJECT"], os.environ["BENCHMARK_DATASET"]
    table = f"projects/{project}/datasets/{dataset}/tables/departure"
    pending = types.WriteStream(type_=types.WriteStream.Type.PENDING)
    stream = client.create_write_stream(parent=table, write_stream=pending).name
    metadata = (("x-goog-request-params", f"write_stream={stream}"),)
    for reply in client.append_rows(_requests(stream, schema, batches), metadata=metadata):
        if reply.error.message:
            raise SystemExit(reply.error.message)
    client.finalize_write_stream(name=stream)
    client.batch_commit_write_streams(types.BatchCommitWriteStreamsRequest(parent=table, write_streams=[stream]))


def _requests(stream: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[types.AppendRowsRequest]:
    offset = 0
    for batch in batches:
        request = types.AppendRowsRequest(write_stream=stream, offset=offset)
        if not offset:
            request.arrow_rows.writer_schema.serialized_schema = schema.serialize().to_pybytes()
        request.arrow_rows.rows.serialized_record_batch = batch.serialize().to_pybytes()
        offset += batch.num_rows
        yield request


def coalesced(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Of the size of a request, whatever they were."""
    waiting: list[pa.RecordBatch] = []
    nbytes = 0
    for batch in batches:
        waiting.append(batch)
        nbytes += batch.nbytes
        if nbytes >= _REQUEST_BYTES:
            yield _joined(waiting)
            waiting, nbytes = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    (whole,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return whole
