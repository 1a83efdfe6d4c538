"""Settings and the environment → clients, and what they say of tables."""

from __future__ import annotations

import os
import threading
from functools import cached_property
from typing import TYPE_CHECKING

from google.api_core import exceptions

from exporter.bigquery_library import bigquery
from exporter.credentials import GRPC_VARIABLE, REST_VARIABLE, credentials_of
from exporter.errors import SettingsError, TableError
from exporter.metadata import schema_field, table_of
from exporter.refusals import translated_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

    from exporter.conf import Settings
    from exporter.metadata import Field, Table

CALL_SECONDS = 30.0
JOB_SECONDS = 120.0
RETRY = bigquery.DEFAULT_RETRY.with_timeout(CALL_SECONDS)
"""The library's own would repeat a failing call for ten minutes."""

APPLY_TERRAFORM = "Run `make codegen` and apply Terraform, then run this again."


class Warehouse:
    """The dataset and how to reach it. Makes no call before it is asked something. Of use to several threads at once.

    Raises SettingsError and WarehouseError: no project, no credentials, half an emulator.
    """

    def __init__(self, settings: Settings) -> None:
        self._rest, self._grpc = os.environ.get(REST_VARIABLE), os.environ.get(GRPC_VARIABLE)
        if bool(self._rest) != bool(self._grpc):
            given, missing = (REST_VARIABLE, GRPC_VARIABLE) if self._rest else (GRPC_VARIABLE, REST_VARIABLE)
            raise SettingsError(
                location=missing,
                problem=f"is not set, but {given} is: half of the calls would go to BigQuery itself.",
                remedy="Set both for an emulator (http://host:port and host:port), or neither.",
            )
        self._credentials, ambient_project = credentials_of(settings, emulated=bool(self._rest))
        project = settings.project or ambient_project
        if not project:
            raise SettingsError(
                location="SMOLQWERY_PROJECT",
                problem="is not set, and the credentials name no project.",
                remedy="Set it to the id of the Google Cloud project that holds the dataset.",
            )
        self._lock = threading.Lock()  # several workers may want the first write client
        self.project = project
        self.dataset = settings.dataset
        self.exporter_dataset = settings.exporter_dataset
        self.location = settings.dataset_location
        """Where the datasets are and jobs run: as set, until BigQuery has said it of a table."""

    @cached_property
    def client(self) -> bigquery.Client:
        """The REST client, of the dataset's own project."""
        rest = self._rest
        if rest and "://" not in rest:
            rest = f"http://{rest}"
        options = {"api_endpoint": rest} if rest else None
        return bigquery.Client(
            project=self.project,
            credentials=self._credentials,
            client_options=options,
        )

    @property
    def write_client(self) -> BigQueryWriteClient:
        """The gRPC client of the Storage Write API."""
        with self._lock:
            return self._write_client

    @cached_property
    def _write_client(self) -> BigQueryWriteClient:
        """Imported here: a run with nothing to do needs no gRPC."""
        from google.cloud.bigquery_storage_v1 import BigQueryWriteClient  # noqa: PLC0415 - as the docstring says

        if not self._grpc:
            return BigQueryWriteClient(credentials=self._credentials)
        import grpc  # noqa: PLC0415 - as above

        transport = BigQueryWriteClient.get_transport_class("grpc")
        return BigQueryWriteClient(transport=transport(channel=grpc.insecure_channel(self._grpc)))

    def name(self, table_id: str) -> str:
        """`project.dataset.table`, as messages and SQL write it."""
        return f"{self.project}.{self.dataset}.{table_id}"

    def exporter_name(self, table_id: str) -> str:
        """`project.dataset.table` of one in the exporter's own dataset."""
        return f"{self.project}.{self.exporter_dataset}.{table_id}"

    def table(self, table_id: str) -> Table:
        """Raises TableError: no such table. WarehouseError: no answer."""
        name = self.name(table_id)
        with translated_errors(name):
            try:
                found = self.client.get_table(name, retry=RETRY, timeout=CALL_SECONDS)
            except exceptions.NotFound as error:
                raise TableError(
                    location=name, problem="not in BigQuery: the exporter makes no tables.", remedy=APPLY_TERRAFORM
                ) from error
        self.location = found.location or self.location
        return table_of(found, table_id)

    def refuse_another(self, table: Table) -> None:
        """Raise TableError when Terraform has dropped this table and made it again."""
        if self.table(table.table_id).created != table.created:
            raise TableError(
                location=self.name(table.table_id),
                problem="was dropped and made again meanwhile.",
                remedy="Run the command again: it begins with the table's first day.",
            )

    def make_staging_table(self, name: str, fields: Iterable[Field], *, expires: datetime) -> None:
        """An empty table of these columns, dropped by BigQuery when it `expires`. Raises WarehouseError."""
        table = bigquery.Table(name, schema=list(map(schema_field, fields)))
        table.expires = expires
        with translated_errors(name):
            # Nobody else has this name: one that is there was made by a call whose reply was lost.
            self.client.create_table(table, exists_ok=True, retry=RETRY, timeout=CALL_SECONDS)

    def column_names(self, name: str) -> list[str]:
        """Of `project.dataset.table`; none when there is no such table. Raises WarehouseError."""
        with translated_errors(name):
            try:
                found = self.client.get_table(name, retry=RETRY, timeout=CALL_SECONDS)
            except exceptions.NotFound:
                return []
        return [field.name for field in found.schema]


def path_of_table(name: str) -> str:
    """`project.dataset.table` as the Storage Write API writes it."""
    project, dataset, table = name.rsplit(".", 2)
    return f"projects/{project}/datasets/{dataset}/tables/{table}"
