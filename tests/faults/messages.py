"""Streams and refusals → the messages of the Storage Write API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.cloud.bigquery_storage_v1 import types
from google.rpc import status_pb2

if TYPE_CHECKING:
    from faults.columns import Column
    from faults.errors import AppendError
    from faults.streams import Stream

_TYPES = {"BOOLEAN": "BOOL", "FLOAT": "DOUBLE", "INTEGER": "INT64", "RECORD": "STRUCT"}


def described(stream: Stream) -> types.WriteStream:
    return types.WriteStream(
        name=stream.name,
        type_=types.WriteStream.Type.PENDING,
        create_time=stream.created,
        commit_time=stream.committed,
        location=stream.table.location,
        table_schema=types.TableSchema(fields=list(map(_field, stream.table.columns))),
    )


def storage_error(code: str, stream: str) -> types.StorageError:
    words = code.replace("_", " ").capitalize()
    return types.StorageError(code=code, entity=stream, error_message=f"{words}. Entity: {stream}")


def refusal(error: AppendError, stream: str) -> types.AppendRowsResponse:
    status = status_pb2.Status(code=error.code, message=error.message)
    if error.storage is not None:
        status.details.add().Pack(types.StorageError.pb(storage_error(error.storage, stream)))
    row_errors = [
        types.RowError(index=index, code=types.RowError.RowErrorCode.FIELDS_ERROR, message=error.message)
        for index in error.rows
    ]
    return types.AppendRowsResponse(error=status, row_errors=row_errors, write_stream=stream)


def _field(column: Column) -> types.TableFieldSchema:
    return types.TableFieldSchema(
        name=column.name,
        type_=_TYPES.get(column.type, column.type),
        mode=column.mode,
        fields=list(map(_field, column.fields)),
    )
