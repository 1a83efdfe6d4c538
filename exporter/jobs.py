"""Statements → their rows; or, under a job id that BigQuery accepts once, what became of that one job.

A job id is the compare-and-swap of the ledger: all runs derive the same one for the same step, so of several that begin
the step at once one job runs. An attempt counts up only when BigQuery says that the one before has failed, or when it
left nothing, so all runs count alike.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from google.api_core import exceptions
from requests import exceptions as requests_exceptions

from exporter.bigquery_library import bigquery
from exporter.errors import LedgerError
from exporter.warehouse import CALL_SECONDS, JOB_SECONDS, RETRY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exporter.warehouse import Warehouse

Parameter: TypeAlias = bigquery.ArrayQueryParameter | bigquery.ScalarQueryParameter
T = TypeVar("T")

scalar = bigquery.ScalarQueryParameter
array = bigquery.ArrayQueryParameter

_MAX_CALLS = 3
_MAX_FAILURES = 3
_PAUSE_SECONDS = 1.0
_PAGE_ROWS = 10_000  # without it, the reply that a job has ended brings no rows, and one more call asks for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of one job id."""

    ours: bool
    """This process began it and saw its end."""
    affected: int = 0
    """Rows that it changed; known of ours alone."""
    error: str | None = None
    """Why BigQuery failed it: it changed nothing."""
    refusal: Exception | None = None
    """There is no such job: BigQuery refused to begin it."""


class Jobs:
    """Query jobs in the dataset's own project and location. Calls raise what Google's client raises."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._client = warehouse.client

    def rows(self, sql: str, parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
        """Of a statement that may take long."""
        job = self._begin(sql, parameters)
        found = job.result(page_size=_PAGE_ROWS, timeout=JOB_SECONDS, retry=RETRY, job_retry=None)
        return [dict(row.items()) for row in found]

    def rows_at_once(self, sql: str, parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
        """Of one that takes a moment: a single call, whose reply brings them. When it takes longer, they are awaited.

        A call that is repeated has the id of the first: BigQuery does not run the statement again.
        """
        found = self._client.query_and_wait(
            sql,
            job_config=_configuration(parameters),
            location=self._warehouse.location,
            page_size=_PAGE_ROWS,
            # The client lets BigQuery say a quarter of a second earlier that the rows take longer. From far away that
            # comes too late, and half of the time is left to ask again.
            api_timeout=CALL_SECONDS / 2,
            wait_timeout=JOB_SECONDS,
            retry=RETRY,
            job_retry=None,  # type: ignore[arg-type] # its documentation allows it
        )
        return [dict(row.items()) for row in found]

    def run(
        self, key: tuple[object, ...], sql: str, parameters: Sequence[Parameter], look: Callable[[Ran], T | None]
    ) -> T:
        """Attempt by attempt, until `look` finds in BigQuery what one of them did.

        `look` is asked after each attempt has ended, but for failed ones of other runs, and answers None when the next
        may begin. Raises LedgerError when three attempts of this process have failed.
        """
        failures = 0
        for attempt in count():
            ran = self.run_once(sql, parameters, job_id=job_id(key, attempt))
            if ran.error is not None and ran.refusal is None and not ran.ours:
                continue  # of a run before: with nothing to look for, hundreds of them are passed quickly
            found = look(ran)
            if found is not None:
                return found
            if ran.refusal is not None:
                raise ran.refusal
            failures += ran.ours
            if failures == _MAX_FAILURES:
                raise LedgerError(
                    location=self._warehouse.exporter_name("ledger"),
                    problem=f"job {job_id(key, attempt)} and those before it did not succeed: {ran.error or 'no row'}.",
                    remedy="Look at them in BigQuery's job history, then run this again: it begins the next attempt.",
                )
            if ran.ours:
                time.sleep(_PAUSE_SECONDS)
        raise AssertionError  # count() has no end

    def run_once(self, sql: str, parameters: Sequence[Parameter], *, job_id: str) -> Ran:
        for _ in range(_MAX_CALLS):
            job = None
            try:
                job = self._begin(sql, parameters, job_id=job_id)
                job.result(timeout=JOB_SECONDS, retry=RETRY, job_retry=None)
                return Ran(ours=True, affected=job.num_dml_affected_rows or 0)
            except (
                exceptions.GoogleAPICallError,
                exceptions.RetryError,
                requests_exceptions.RequestException,
            ) as error:
                lost = error  # the id was taken, a reply was lost, or the job failed
            try:
                found = self._client.get_job(
                    job_id,
                    project=self._warehouse.project,
                    location=self._warehouse.location,
                    retry=RETRY,
                    timeout=CALL_SECONDS,
                )
            except exceptions.NotFound:
                # It never arrived, or is not known everywhere yet: the same id again, or two jobs could do the step.
                time.sleep(_PAUSE_SECONDS)
                continue
            return self._ended(cast("bigquery.QueryJob", found), ours=job is not None)
        return Ran(ours=False, error=str(lost), refusal=lost)

    def _ended(self, job: bigquery.QueryJob, *, ours: bool) -> Ran:
        try:
            job.result(timeout=JOB_SECONDS, retry=RETRY)
        except (exceptions.GoogleAPIError, TimeoutError):
            # Only the job itself tells whether it has failed. Were a call for its results that is refused taken for
            # that, the next attempt would run the same MERGE again, perhaps after a newer replacement.
            job.reload(retry=RETRY, timeout=CALL_SECONDS)
            if job.state != "DONE":
                raise
        if job.error_result is not None:
            return Ran(ours=ours, error=job.error_result.get("message") or "no reason given")
        return Ran(ours=ours, affected=job.num_dml_affected_rows or 0)

    def _begin(self, sql: str, parameters: Sequence[Parameter], *, job_id: str | None = None) -> bigquery.QueryJob:
        return self._client.query(
            sql,
            job_config=_configuration(parameters),
            job_id=job_id,
            job_retry=None,
            location=self._warehouse.location,
            retry=RETRY,
            timeout=CALL_SECONDS,
        )


def _configuration(parameters: Sequence[Parameter]) -> bigquery.QueryJobConfig:
    return bigquery.QueryJobConfig(query_parameters=list(parameters), use_query_cache=False)


def job_id(key: tuple[object, ...], attempt: int) -> str:
    """`smolqwery-<step>-<digest>-<attempt>`; the step is the key's first part."""
    digest = hashlib.sha256("|".join(map(str, key)).encode()).hexdigest()[:40]
    return f"smolqwery-{key[0]}-{digest}-{attempt}"
