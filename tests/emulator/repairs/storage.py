"""Repairs of the DuckDB below: where its extension comes from, which thread may use it, what it keeps."""

from __future__ import annotations

import threading
from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb
from bqemulator.domain.errors import UnsupportedFeatureError
from bqemulator.domain.events import TableDataChanged
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager

from emulator.repairs.replace import replaces

if TYPE_CHECKING:
    from datetime import datetime

    from bqemulator.api.dependencies import AppContext


def load_spatial_from_package() -> None:
    """bqemulator downloads the extension that it needs to start. The package from PyPI holds the same file, and
    loading it in place, without installing, writes nothing that two emulators could write at once.
    """
    directory = files("duckdb_extension_spatial") / "extensions" / f"v{duckdb.__version__}"

    @replaces(DuckDBEngine, "_load_spatial")
    def load_spatial(self: DuckDBEngine) -> None:
        self.connection.execute(f"LOAD '{directory / 'spatial.duckdb_extension'}'")


def repair(context: AppContext) -> None:
    _one_connection_per_thread(context.engine)
    _no_time_travel()


def _one_connection_per_thread(engine: DuckDBEngine) -> None:
    """A DuckDB connection holds one result. bqemulator shares one between the event loop, the threads of REST reads
    and those of AppendRows: one of them can fetch the result of another's statement.
    """
    owner = threading.get_ident()
    main = engine.connection
    local = threading.local()

    def connection(_: DuckDBEngine) -> duckdb.DuckDBPyConnection:
        if threading.get_ident() == owner:
            return main
        if not hasattr(local, "connection"):
            local.connection = main.cursor()
            local.connection.execute("SET TimeZone = 'UTC'")
        cursor: duckdb.DuckDBPyConnection = local.connection
        return cursor

    replaces(DuckDBEngine, "connection")(property(connection))


def _no_time_travel() -> None:
    """bqemulator copies the whole table after each commit and DML statement, to serve FOR SYSTEM_TIME AS OF: a year of
    days would be copied 365 times. Nothing here reads the past, so it is refused in words instead.
    """

    @replaces(SnapshotManager, "record_change")
    def record_change(self: SnapshotManager, project_id: str, dataset_id: str, table_id: str) -> None:
        self._events.publish(TableDataChanged(project_id, dataset_id, table_id))

    @replaces(SnapshotManager, "resolve_time_travel")
    def resolve_time_travel(*_: str | SnapshotManager | datetime) -> None:
        raise UnsupportedFeatureError("FOR SYSTEM_TIME AS OF is off, see tests/emulator/repairs/storage.py")
