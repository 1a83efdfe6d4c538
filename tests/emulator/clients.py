"""Google's own clients, and plain HTTP, on one emulator: how tests look at it from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import grpc
import pyarrow as pa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.process import Emulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    emulator: Emulator
    bigquery: bigquery.Client
    write: BigQueryWriteClient

    def http(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer of a request below the project."""
        url = f"{self.emulator.rest_url}/bigquery/v2/projects/{self.emulator.project}/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request) as response:
                return response.status, json.loads(response.read() or "null")
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def make_table(self, name: str, *fields: dict[str, Any], **attributes: object) -> tuple[int, Any]:
        dataset_id, table_id = name.split(".")
        body = {"tableReference": {"tableId": table_id}, "schema": {"fields": fields}, **attributes}
        return self.http("POST", f"datasets/{dataset_id}/tables", body)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.bigquery.query(sql, job_retry=None).result()]

    def parent(self, table: str) -> str:
        dataset_id, table_id = table.split(".")
        return f"projects/{self.emulator.project}/datasets/{dataset_id}/tables/{table_id}"

    def pending_stream(self, table: str) -> types.WriteStream:
        stream = types.WriteStream(type_=types.WriteStream.Type.PENDING)
        return self.write.create_write_stream(parent=self.parent(table), write_stream=stream)

    def requests(self, stream: str, *batches: pa.RecordBatch, offset: int = 0) -> Iterator[types.AppendRowsRequest]:
        for batch in batches:
            request = types.AppendRowsRequest(write_stream=stream, offset=offset)
            request.arrow_rows.writer_schema.serialized_schema = batch.schema.serialize().to_pybytes()
            request.arrow_rows.rows.serialized_record_batch = batch.serialize().to_pybytes()
            offset += batch.num_rows
            yield request

    def append(self, stream: str, *batches: pa.RecordBatch, offset: int = 0) -> list[types.AppendRowsResponse]:
        """The answers, one a batch, on one connection."""
        metadata = (("x-goog-request-params", f"write_stream={stream}"),)
        requests = self.requests(stream, *batches, offset=offset)
        return list(self.write.append_rows(requests, retry=None, timeout=30, metadata=metadata))

    def commit(self, table: str, *streams: str) -> types.BatchCommitWriteStreamsResponse:
        request = types.BatchCommitWriteStreamsRequest(parent=self.parent(table), write_streams=streams)
        return self.write.batch_commit_write_streams(request, retry=None, timeout=60)

    def finalized_stream(self, table: str, *batches: pa.RecordBatch) -> str:
        stream: str = self.pending_stream(table).name
        for response in self.append(stream, *batches):
            assert not response.error.message
        self.write.finalize_write_stream(name=stream)
        return stream


def clients_of(emulator: Emulator) -> Clients:
    channel = grpc.insecure_channel(emulator.grpc_endpoint)
    return Clients(
        emulator=emulator,
        bigquery=bigquery.Client(
            project=emulator.project,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": emulator.rest_url},
        ),
        write=BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel)),
    )


def field(name: str, kind: str = "INTEGER", mode: str = "NULLABLE", **attributes: object) -> dict[str, Any]:
    """A column as the REST API writes it."""
    return {"name": name, "type": kind, "mode": mode, **attributes}


def batch(**columns: list[Any] | pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)
