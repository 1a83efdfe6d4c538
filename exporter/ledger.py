"""Days of a table → prepared once, committed, remembered. The statements are in ledger_sql.py.

Rows are only ever appended. What they say of one day of one table, in its latest generation:

    rows there are               the day is       what comes next
    (none)                       open             a unit may be prepared from here
    prepared, with streams       live, in doubt   the streams are committed (again), whoever finds this
    prepared, without streams    live, done       nothing: there was nothing to commit
    prepared, committed          live, done       nothing
    prepared, abandoned          open             the streams are gone: the next generation is prepared

Only rows with the table's present creation time count.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.cloud import bigquery
from requests import exceptions as requests_exceptions

from exporter.errors import LedgerError, TableError
from exporter.ledger_sql import APPEND, PREPARED_AT, READ, UNLESS_LIVE, WINNER
from exporter.warehouse import APPLY_TERRAFORM, CALL_SECONDS, JOB_SECONDS, RETRY, Warehouse, translated_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

_MAX_CALLS = 3
_MAX_ATTEMPTS = 10
_Parameter = bigquery.ArrayQueryParameter | bigquery.ScalarQueryParameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Consecutive days of one table that become visible together, by committing `streams`."""

    table_id: str
    table_created: datetime
    days: tuple[date, ...]
    row_counts: tuple[int, ...]
    generation: int
    streams: tuple[str, ...]
    run_id: str

    @property
    def rows(self) -> int:
        return sum(self.row_counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLedger:
    """What the ledger knows of one table. Of an empty ledger: nothing."""

    first_day: date | None = None
    head: date | None = None
    """The last day before the first that is open; None: the first day is open."""
    rows: int = 0
    time_zone: str | None = None
    in_doubt: tuple[Unit, ...] = ()
    abandoned: dict[date, int] = field(default_factory=dict)
    """Open days and their last generation."""


class Ledger:
    """The table `ledger` in the exporter's own dataset."""

    def __init__(self, warehouse: Warehouse, *, time_zone: str) -> None:
        self._warehouse = warehouse
        self._client = warehouse.client
        self._project = warehouse.project
        self._name = f"{warehouse.project}.{warehouse.exporter_dataset}.ledger"
        self._time_zone = time_zone

    def read(self, table_ids: Sequence[str]) -> dict[tuple[str, datetime], TableLedger]:
        """One query: by table and creation time, all that a run needs. Raises WarehouseError."""
        tables: dict[tuple[str, datetime], bigquery.Row] = {}
        abandoned: dict[tuple[str, datetime], dict[date, int]] = defaultdict(dict)
        in_doubt: dict[tuple[str, datetime], list[bigquery.Row]] = defaultdict(list)
        parameters = [bigquery.ArrayQueryParameter("table_ids", "STRING", list(table_ids))]
        with translated_errors(self._name):
            try:
                rows = self._rows(READ, parameters)
            except exceptions.NotFound as error:
                raise TableError(
                    location=self._name, problem="not in BigQuery: it is the exporter's record.", remedy=APPLY_TERRAFORM
                ) from error
        for row in rows:
            key = (row["table_id"], row["table_created"])
            if row["kind"] == "table":
                tables[key] = row
            elif row["kind"] == "abandoned":
                abandoned[key][row["day"]] = row["generation"]
            else:
                in_doubt[key].append(row)
        return {
            key: TableLedger(
                first_day=row["day"],
                head=row["head"],
                rows=row["row_count"],
                time_zone=row["time_zone"],
                in_doubt=tuple(_units(*key, in_doubt[key])),
                abandoned=abandoned[key],
            )
            for key, row in tables.items()
        }

    def prepare(self, unit: Unit) -> Unit:
        """Compare and swap: the unit that holds these days now, ours or that of a run that was faster.

        BigQuery accepts a job id once, and all runs derive the same one: of several INSERTs one runs. Its attempt
        counts up only when BigQuery says that the job of the attempt before has failed, so all runs count alike.
        Raises LedgerError when no attempt left a row, WarehouseError when BigQuery does not answer.
        """
        with translated_errors(self._name):
            for attempt in range(_MAX_ATTEMPTS):
                if self._insert_once(unit, _job_id(self._project, unit, attempt)):
                    return unit
                if winner := self._winner(unit):
                    return winner
        raise LedgerError(
            location=f"{self._name}, {unit.table_id}",
            problem=f"{_MAX_ATTEMPTS} attempts to prepare {unit.days[0]} left no row.",
            remedy="Look at the failed jobs smolqwery-prepare-… in BigQuery's job history, then run this again.",
        )

    def mark(self, unit: Unit, event: str) -> None:
        """Remember "committed" (losing it costs one repeated commit, which changes nothing) or "abandoned"."""
        with translated_errors(self._name):
            self._rows(APPEND, self._unit_parameters(unit, event))

    def prepared_at(self, unit: Unit) -> tuple[datetime, datetime]:
        """When a unit was prepared, and now, both by BigQuery's clock."""
        with translated_errors(self._name):
            (row,) = self._rows(PREPARED_AT, self._unit_parameters(unit, "prepared"))
        return row["prepared_at"], row["now"]

    def _insert_once(self, unit: Unit, job_id: str) -> bool:
        """True: this call inserted the rows. False: a job of this id is done, and who knows what it left."""
        parameters = self._unit_parameters(unit, "prepared")
        for _ in range(_MAX_CALLS):
            try:
                job = self._start(APPEND + UNLESS_LIVE, parameters, job_id=job_id)
                job.result(timeout=JOB_SECONDS, retry=RETRY, job_retry=None)
                return job.num_dml_affected_rows == len(unit.days)
            except (
                exceptions.GoogleAPICallError,
                exceptions.RetryError,
                requests_exceptions.RequestException,
            ) as error:
                lost = error  # the id was taken, the reply was lost, or the job failed
            try:
                found = self._client.get_job(job_id, project=self._project, retry=RETRY, timeout=CALL_SECONDS)
            except exceptions.NotFound:
                continue  # it never arrived: the same id again, or two jobs could insert the same days
            try:
                found.result(timeout=JOB_SECONDS, retry=RETRY)
            except exceptions.GoogleAPICallError:
                if found.state != "DONE":
                    raise
            return False
        raise lost

    def _winner(self, unit: Unit) -> Unit | None:
        parameters = [
            *self._key_parameters(unit),
            bigquery.ScalarQueryParameter("first_day", "DATE", unit.days[0]),
            bigquery.ScalarQueryParameter("generation", "INT64", unit.generation),
        ]
        units = _units(unit.table_id, unit.table_created, self._rows(WINNER, parameters))
        return next((found for found in units if unit.days[0] in found.days), None)

    def _rows(self, sql: str, parameters: Sequence[_Parameter]) -> list[bigquery.Row]:
        job = self._start(sql, parameters)
        return list(job.result(timeout=JOB_SECONDS, retry=RETRY, job_retry=None))

    def _start(self, sql: str, parameters: Sequence[_Parameter], *, job_id: str | None = None) -> bigquery.QueryJob:
        return self._client.query(
            sql.format(ledger=self._name),
            job_config=bigquery.QueryJobConfig(query_parameters=list(parameters), use_query_cache=False),
            job_id=job_id,
            job_retry=None,
            location=self._warehouse.location,
            retry=RETRY,
            timeout=CALL_SECONDS,
        )

    def _key_parameters(self, unit: Unit) -> list[_Parameter]:
        return [
            bigquery.ScalarQueryParameter("table_id", "STRING", unit.table_id),
            bigquery.ScalarQueryParameter("table_created", "TIMESTAMP", unit.table_created),
        ]

    def _unit_parameters(self, unit: Unit, event: str) -> list[_Parameter]:
        return [
            *self._key_parameters(unit),
            bigquery.ArrayQueryParameter("days", "DATE", list(unit.days)),
            bigquery.ArrayQueryParameter("row_counts", "INT64", list(unit.row_counts)),
            bigquery.ArrayQueryParameter("streams", "STRING", list(unit.streams)),
            bigquery.ScalarQueryParameter("generation", "INT64", unit.generation),
            bigquery.ScalarQueryParameter("event", "STRING", event),
            bigquery.ScalarQueryParameter("run_id", "STRING", unit.run_id),
            bigquery.ScalarQueryParameter("time_zone", "STRING", self._time_zone),
        ]


def _job_id(project: str, unit: Unit, attempt: int) -> str:
    key = (project, unit.table_id, unit.table_created.isoformat(), unit.days[0].isoformat(), unit.generation)
    digest = hashlib.sha256("|".join(map(str, key)).encode()).hexdigest()[:40]
    return f"smolqwery-prepare-{digest}-{attempt}"


def _units(table_id: str, table_created: datetime, rows: Sequence[bigquery.Row]) -> Sequence[Unit]:
    """Rows of one prepare share their run, their generation and their streams."""
    grouped: dict[tuple[str, int, tuple[str, ...]], list[bigquery.Row]] = defaultdict(list)
    for row in rows:
        grouped[row["run_id"], row["generation"], tuple(row["streams"])].append(row)
    return [
        Unit(
            table_id=table_id,
            table_created=table_created,
            days=tuple(row["day"] for row in members),
            row_counts=tuple(row["row_count"] for row in members),
            generation=generation,
            streams=streams,
            run_id=run_id,
        )
        for (run_id, generation, streams), members in grouped.items()
    ]
