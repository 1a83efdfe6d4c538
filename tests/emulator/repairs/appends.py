"""Repairs of AppendRows: which rows a stream takes, and how it refuses the others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import grpc
from bqemulator.grpc_api import write_servicer as servicer
from bqemulator.grpc_api.write_servicer import BigQueryWriteHandler
from google.cloud.bigquery_storage_v1 import types
from google.rpc import status_pb2

from emulator.repairs import rows
from emulator.repairs.replace import replaces

if TYPE_CHECKING:
    import pyarrow as pa
    from bqemulator.catalog.models import TableFieldSchema, TableMeta
    from bqemulator.streaming.write_stream import WriteStream

Code = types.StorageError.StorageErrorCode

_CODES = {
    grpc.StatusCode.ALREADY_EXISTS: Code.OFFSET_ALREADY_EXISTS,
    grpc.StatusCode.OUT_OF_RANGE: Code.OFFSET_OUT_OF_RANGE,
    grpc.StatusCode.FAILED_PRECONDITION: Code.STREAM_FINALIZED,
}


def repair() -> None:
    _take_records()
    _say_what_was_refused()
    _take_the_stream_from_the_first_request()


def _take_records() -> None:
    """BigQuery takes RECORDs to any depth, refuses columns that the table does not have, and NULL where a value is
    required. bqemulator loses the RECORDs, drops the columns and stores the NULL.
    """
    replaces(servicer, "_table_arrow_schema")(rows.arrow_schema)
    replaces(servicer, "_align_to_target")(rows.aligned)

    @replaces(servicer, "_table_meta_to_proto_schema")
    def table_schema(table: TableMeta) -> types.TableSchema:
        return types.TableSchema(fields=[_proto_field(field) for field in table.schema_.fields])


def _proto_field(field: TableFieldSchema) -> types.TableFieldSchema:
    is_record = field.type == "RECORD"
    return types.TableFieldSchema(
        name=field.name,
        type_=types.TableFieldSchema.Type.STRUCT if is_record else servicer._bq_type_to_storage_type(field.type),
        mode=servicer._bq_mode_to_storage_mode(field.mode),
        fields=[_proto_field(nested) for nested in field.fields],
    )


def _say_what_was_refused() -> None:
    """An append's error carries a StorageError, and the rows at fault where single rows are. bqemulator's has only
    the gRPC code.
    """

    @replaces(servicer, "_error_response")
    def error_response(
        stream: str, detail: str, status_code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT
    ) -> bytes:
        # Called while the refusal is handled; bqemulator passes on its text only.
        refusal = sys.exception()
        is_extra = isinstance(refusal, rows.ExtraFieldsError)
        code = Code.SCHEMA_MISMATCH_EXTRA_FIELDS if is_extra else _CODES.get(status_code)
        error = status_pb2.Status(code=status_code.value[0], message=detail)
        if code is not None:
            storage_error = types.StorageError(code=code, entity=stream, error_message=detail)
            error.details.add().Pack(types.StorageError.pb(storage_error))
        row_errors = [
            types.RowError(index=index, code=types.RowError.RowErrorCode.FIELDS_ERROR, message=detail)
            for index in (refusal.rows if isinstance(refusal, rows.RefusedRowsError) else ())
        ]
        response = types.AppendRowsResponse(write_stream=stream, error=error, row_errors=row_errors)
        return bytes(types.AppendRowsResponse.serialize(response))


def _take_the_stream_from_the_first_request() -> None:
    """BigQuery needs `write_stream` in the first request of a connection only. bqemulator answers NOT_FOUND."""
    ensure = BigQueryWriteHandler._ensure_stream_bound

    @replaces(BigQueryWriteHandler, "_ensure_stream_bound")
    def ensure_stream_bound(
        self: BigQueryWriteHandler,
        stream: str,
        bound: tuple[WriteStream, pa.Schema] | None,
        context: grpc.ServicerContext,
    ) -> tuple[WriteStream, pa.Schema] | None:
        return ensure(self, stream or (bound[0].name if bound else ""), bound, context)
