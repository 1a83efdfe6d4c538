"""Query jobs: an id runs once, and says afterwards what became of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from faults.errors import ApiError
from faults.results import Result, selected
from faults.sql import kind_of, to_duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from faults.clock import Clock
    from faults.tables import Tables

_POLL_SECONDS = 0.05
_MULTI_REGIONS = ("US", "EU")  # a job of any other is found only there


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One job. It is done when it has a result or an error."""

    job_id: str
    location: str
    anywhere: bool
    """Its request named no location: it runs where its tables are."""
    configuration: Mapping[str, Any]
    created: datetime
    polls: int
    """So many questions more until it is executed."""
    reason: str | None
    """Of the error that it runs into instead of being executed."""
    result: Result | None = None
    error: ApiError | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def sql(self) -> str:
        return str(self.configuration["query"]["query"])

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return list(self.configuration["query"].get("queryParameters", ()))


class Jobs:
    """All jobs. `_lock` guards which ids are taken and who executes; the tables' own, what they do."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def insert(
        self,
        reference: Mapping[str, Any],
        configuration: Mapping[str, Any],
        *,
        polls: int = 0,
        reason: str | None = None,
    ) -> Job:
        """Raises ApiError: the id is taken, whatever became of its job."""
        with self._lock:
            number = len(self._jobs)
            job = Job(
                job_id=reference.get("jobId") or f"job_{number}",
                location=reference.get("location", "US"),
                anywhere="location" not in reference,
                configuration=configuration,
                created=self._clock.now(),
                polls=polls,
                reason=reason,
            )
            if job.job_id in self._jobs:
                raise ApiError("duplicate", f"Already Exists: Job {self._name(job.job_id, job.location)}")
            self._jobs[job.job_id] = job
        if not polls:
            self._execute(job)
        return job

    def query(self, body: Mapping[str, Any], *, polls: int = 0, reason: str | None = None) -> Job:
        """A request id runs once: whoever repeats the request gets the same job."""
        reference = {"location": body["location"]} if "location" in body else {}
        if "requestId" in body:
            reference["jobId"] = f"job_of_{body['requestId']}"
        try:
            return self.insert(reference, {"query": body}, polls=polls, reason=reason)
        except ApiError:
            return self._jobs[reference["jobId"]]

    def get(self, job_id: str, location: str | None) -> Job:
        """Raises ApiError: there is none in this location."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is not None:
            known = job.location.upper()
            if location.upper() == known if location else known in _MULTI_REGIONS:
                return job
        raise ApiError("notFound", f"Not found: Job {self._name(job_id, location or 'US')}")

    def ask(self, job: Job) -> None:
        """A question after the job: one that runs long comes nearer to its end."""
        with self._lock:
            due = job.polls == 1
            job.polls = max(0, job.polls - 1)
        if due:
            self._execute(job)
        job.done.wait(_POLL_SECONDS)  # BigQuery waits longer; clients ask again at once

    def finish(self) -> None:
        """All jobs that run long are done now, whether anybody asks or not."""
        with self._lock:
            held = [job for job in self._jobs.values() if job.polls]
            for job in held:
                job.polls = 0
        for job in held:
            self._execute(job)

    def ids(self) -> list[str]:
        """In the order of their beginning."""
        with self._lock:
            return list(self._jobs)

    def given(self, parameter: str, *, job: str) -> list[str]:
        """What jobs whose ids begin like this have for a scalar parameter, in the order of their beginning."""
        with self._lock:
            jobs = [one for job_id, one in self._jobs.items() if job_id.startswith(job)]
        return [
            given["parameterValue"]["value"] for one in jobs for given in one.parameters if given["name"] == parameter
        ]

    def rest(self, job: Job) -> dict[str, Any]:
        created = str(int(job.created.timestamp() * 1000))
        status: dict[str, Any] = {"state": "DONE" if job.done.is_set() else "RUNNING"}
        if job.error is not None:
            status |= {"errorResult": job.error.part, "errors": [job.error.part]}
        query: dict[str, Any] = {"statementType": kind_of(job.sql), "totalBytesProcessed": "0"}
        if job.result is not None and job.result.affected is not None:
            query["numDmlAffectedRows"] = str(job.result.affected)
        return {
            "kind": "bigquery#job",
            "id": self._name(job.job_id, job.location),
            "jobReference": self.reference(job),
            "configuration": {"jobType": "QUERY", **job.configuration},
            "status": status,
            "statistics": {"creationTime": created, "startTime": created, "endTime": created, "query": query},
        }

    def reference(self, job: Job) -> dict[str, str]:
        return {"projectId": self._tables.project, "jobId": job.job_id, "location": job.location}

    def _execute(self, job: Job) -> None:
        try:
            job.result = self._result(job)
        except ApiError as error:
            job.error = error
        finally:
            job.done.set()

    def _result(self, job: Job) -> Result:
        if job.reason is not None:
            raise ApiError(job.reason, "as the test says")
        with self._tables.lock:
            look = self._tables.look(None if job.anywhere else job.location)
            statement = to_duckdb(job.sql, parameters=job.parameters, now=self._clock.now(), look=look)
            connection = self._tables.connection
            try:
                connection.execute(statement)
                if kind_of(job.sql) == "SELECT":
                    return selected(connection)
                changed = connection.fetchone()
            except duckdb.Error as error:
                raise ApiError("invalidQuery", str(error)) from error
        return Result(affected=int(changed[0]) if changed else 0)

    def _name(self, job_id: str, location: str) -> str:
        return f"{self._tables.project}:{location}.{job_id}"
