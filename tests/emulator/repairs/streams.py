"""Repairs of write streams: since when one exists, and how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from bqemulator.grpc_api.write_servicer import BigQueryWriteHandler
from google.cloud.bigquery_storage_v1 import types

from emulator.repairs.replace import replaces

if TYPE_CHECKING:
    from datetime import datetime

    import grpc
    from bqemulator.api.dependencies import AppContext


def repair(context: AppContext) -> None:
    _remember_when_one_was_made()
    _forget_those_of_deleted_tables(context)


def _remember_when_one_was_made() -> None:
    """GetWriteStream: create_time is when the stream was made. bqemulator says now."""
    create_times: dict[str, datetime] = {}
    create = BigQueryWriteHandler._handle_create_write_stream
    get = BigQueryWriteHandler._handle_get_write_stream

    @replaces(BigQueryWriteHandler, "_handle_create_write_stream")
    def create_write_stream(self: BigQueryWriteHandler, request: bytes, context: grpc.ServicerContext) -> bytes:
        response = create(self, request, context)
        stream = types.WriteStream.deserialize(response)
        if stream.name:
            create_times[stream.name] = stream.create_time
        return response

    @replaces(BigQueryWriteHandler, "_handle_get_write_stream")
    def get_write_stream(self: BigQueryWriteHandler, request: bytes, context: grpc.ServicerContext) -> bytes:
        response = get(self, request, context)
        stream = types.WriteStream.deserialize(response)
        if stream.name not in create_times:
            return response
        stream.create_time = create_times[stream.name]
        return bytes(types.WriteStream.serialize(stream))


def _forget_those_of_deleted_tables(context: AppContext) -> None:
    """A stream belongs to its table, not to the next one of that name. bqemulator would commit it there."""
    delete_table, delete_dataset = MemoryCatalogRepository.delete_table, MemoryCatalogRepository.delete_dataset

    def forget(*parent: str) -> None:
        for stream in context.write_streams.list_active():
            if (stream.project_id, stream.dataset_id, stream.table_id)[: len(parent)] == parent:
                context.write_streams.delete(stream.name)

    @replaces(MemoryCatalogRepository, "delete_table")
    def delete_table_and_streams(
        self: MemoryCatalogRepository, project_id: str, dataset_id: str, table_id: str, *, not_found_ok: bool = False
    ) -> None:
        delete_table(self, project_id, dataset_id, table_id, not_found_ok=not_found_ok)
        forget(project_id, dataset_id, table_id)

    @replaces(MemoryCatalogRepository, "delete_dataset")
    def delete_dataset_and_streams(
        self: MemoryCatalogRepository,
        project_id: str,
        dataset_id: str,
        *,
        not_found_ok: bool = False,
        delete_contents: bool = False,
    ) -> None:
        delete_dataset(self, project_id, dataset_id, not_found_ok=not_found_ok, delete_contents=delete_contents)
        forget(project_id, dataset_id)
