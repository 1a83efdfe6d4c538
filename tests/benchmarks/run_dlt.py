"""dlt with the flights, in its own environment: sql_table by way of pyarrow, loaded as Parquet, its fastest."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

import dlt
from dlt.common.configuration.specs.gcp_credentials import GcpServiceAccountCredentials
from dlt.destinations import bigquery
from dlt.sources.sql_database import sql_table
from google.auth.credentials import AnonymousCredentials
from sqlalchemy import PrimaryKeyConstraint

from benchmarks.stopwatch import measured

if TYPE_CHECKING:
    from sqlalchemy import Table


def main() -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"  # the emulator takes no compressed JSON

    def no_credentials(_self: Any) -> AnonymousCredentials:
        return AnonymousCredentials()

    GcpServiceAccountCredentials.to_native_credentials = no_credentials
    with tempfile.TemporaryDirectory() as directory, measured():
        flights = sql_table(
            _url(os.environ["FLIGHTS_DATABASE"]),
            table="flights_flight",
            backend="pyarrow",
            excluded_columns=["id"],
            table_adapter_callback=_without_key,
        )
        key = {"project_id": os.environ["GOOGLE_CLOUD_PROJECT"], "private_key": "none", "client_email": "none"}
        pipeline = dlt.pipeline(
            "flights",
            pipelines_dir=directory,
            destination=bigquery(credentials=key, location="EU"),
            dataset_name=os.environ["BENCHMARK_DATASET"],
        )
        loaded = pipeline.run(flights, table_name="departure", write_disposition="append", loader_file_format="parquet")
        loaded.raise_on_failed_jobs()


def _url(database: str) -> str:
    if "://" in database:
        return database.replace("postgresql://", "postgresql+psycopg://", 1)
    return f"sqlite:///{database}"


def _without_key(table: Table) -> None:
    """Its column is excluded, and dlt would miss it."""
    table.append_constraint(PrimaryKeyConstraint())


if __name__ == "__main__":
    main()
