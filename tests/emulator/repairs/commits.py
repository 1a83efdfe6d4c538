"""Repairs of BatchCommitWriteStreams: all rows of all streams in one step, once, and when."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
from bqemulator.domain.events import TableDataChanged
from bqemulator.grpc_api.write_servicer import BigQueryWriteHandler
from bqemulator.storage.sql_identifiers import quoted_table_ref
from bqemulator.streaming.write_stream import WriteStreamState, WriteStreamType
from google.cloud.bigquery_storage_v1 import types

from emulator.repairs.replace import replaces

if TYPE_CHECKING:
    from datetime import datetime

    import grpc
    from bqemulator.api.dependencies import AppContext
    from bqemulator.streaming.write_stream import WriteStream

Code = types.StorageError.StorageErrorCode


def repair() -> None:
    commit_times: dict[str, datetime] = {}
    _commit_all_or_nothing(commit_times)
    _say_when(commit_times)


def _commit_all_or_nothing(commit_times: dict[str, datetime]) -> None:
    """A second commit is answered STREAM_ALREADY_COMMITTED. bqemulator answers INVALID_STREAM_STATE, marks a stream as
    committed before its rows are there, and loses them when that fails. The lock lets the loser of two commits wait
    for the winner's rows.
    """

    @replaces(BigQueryWriteHandler, "_handle_batch_commit_write_streams")
    def batch_commit(self: BigQueryWriteHandler, request_bytes: bytes, _: grpc.ServicerContext) -> bytes:
        request = types.BatchCommitWriteStreamsRequest.deserialize(request_bytes)
        names = tuple(dict.fromkeys(request.write_streams))
        with self._write_lock:
            streams = [self.manager.get(name) for name in names]
            errors = [_refusal(name, stream) for name, stream in zip(names, streams, strict=True)]
            response = types.BatchCommitWriteStreamsResponse(stream_errors=[error for error in errors if error])
            if not response.stream_errors:
                _insert(self._ctx, [stream for stream in streams if stream is not None])
                response.commit_time = self._ctx.clock.now()
                commit_times.update(dict.fromkeys(names, response.commit_time))
        return bytes(types.BatchCommitWriteStreamsResponse.serialize(response))


def _refusal(name: str, stream: WriteStream | None) -> types.StorageError | None:
    if stream is None:
        code = Code.STREAM_NOT_FOUND
    elif stream.stream_type is not WriteStreamType.PENDING:
        code = Code.INVALID_STREAM_TYPE
    elif stream.state is WriteStreamState.COMMITTED:
        code = Code.STREAM_ALREADY_COMMITTED
    elif stream.state is not WriteStreamState.FINALIZED:
        code = Code.INVALID_STREAM_STATE
    else:
        return None
    return types.StorageError(code=code, entity=name, error_message=f"{Code(code).name}: {name}")


def _insert(context: AppContext, streams: list[WriteStream]) -> None:
    connection = context.engine.connection
    connection.begin()
    try:
        for stream in streams:
            target = quoted_table_ref(stream.project_id, stream.dataset_id, stream.table_id)
            # Requests of one client have one schema; another one begins only after a reconnect.
            for _, tables in groupby(stream.buffer, key=lambda table: table.schema):
                connection.register("__bqemu_commit", pa.concat_tables(list(tables)))
                # By name: a column added since the stream was made is not in its rows.
                connection.execute(f"INSERT INTO {target} BY NAME SELECT * FROM __bqemu_commit")
                connection.unregister("__bqemu_commit")
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    for stream in streams:
        stream.state = WriteStreamState.COMMITTED
        stream.buffer.clear()
        context.events.publish(TableDataChanged(stream.project_id, stream.dataset_id, stream.table_id))


def _say_when(commit_times: dict[str, datetime]) -> None:
    """GetWriteStream: "empty commit_time means it is not committed". bqemulator never fills it."""
    get = BigQueryWriteHandler._handle_get_write_stream

    @replaces(BigQueryWriteHandler, "_handle_get_write_stream")
    def get_write_stream(self: BigQueryWriteHandler, request: bytes, context: grpc.ServicerContext) -> bytes:
        response = get(self, request, context)
        stream = types.WriteStream.deserialize(response)
        if stream.name not in commit_times:
            return response
        stream.commit_time = commit_times[stream.name]
        return bytes(types.WriteStream.serialize(stream))
