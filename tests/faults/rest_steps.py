"""Steps of the REST API → their answers from datasets, tables and jobs, and the faults scripted for them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

from faults.errors import ApiError
from faults.results import rest_rows
from faults.sql import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from faults.jobs import Job, Jobs
    from faults.script import Fault, Script
    from faults.tables import Tables


class RestSteps:
    """A step is named as the script names it; its method here is `_` and that name."""

    def __init__(self, tables: Tables, jobs: Jobs, script: Script) -> None:
        self._tables = tables
        self._jobs = jobs
        self._script = script

    def answer(self, step: str, names: Mapping[str, str], query: Mapping[str, str], body: Any) -> Any:
        """What the step answers; None closes the connection instead. Raises ApiError."""
        reference = body.get("jobReference", {}) if step == "insert job" else {}
        table = body["tableReference"]["tableId"] if step == "make table" else names.get("table")
        job = reference.get("jobId") or names.get("job")
        fault = self._script.call(step, table=table, job=job, statement=_statement(step, body))
        apply = cast("Callable[..., Any]", getattr(self, f"_{step.replace(' ', '_')}"))
        if fault is None or fault.what == "as usual":
            return apply(names, query, body)
        if fault.what == "silence":
            fault.wait()
        if fault.what in ("silence", "dropped"):
            return None
        if fault.what.startswith("HTTP "):
            raise _scripted(int(fault.what.removeprefix("HTTP ")))
        if fault.what in ("fails", "runs long", "taken"):
            return self._insert_badly(fault, body) if step == "insert job" else self._query_badly(fault, body)
        return self._answered_badly(fault, lambda: apply(names, query, body))

    def _answered_badly(self, fault: Fault, apply: Callable[[], Any]) -> Any:
        """The step is applied, and what becomes of its reply, a refusal too, is the fault."""
        if fault.what == "held":
            fault.wait()
        refusal = reply = None
        try:
            reply = apply()
        except ApiError as error:
            refusal = error
        if fault.what == "reply lost":
            return None
        if fault.what == "late":
            fault.wait()
        if refusal is not None:
            raise refusal
        return reply

    def _insert_badly(self, fault: Fault, body: dict[str, Any]) -> Any:
        configuration = body["configuration"]
        if fault.what == "taken":
            configuration = _changed(configuration, fault.parameters)
        job = self._jobs.insert(body["jobReference"], configuration, **_fate(fault))
        if fault.what == "taken":
            raise ApiError("duplicate", f"Already Exists: Job {self._tables.project}:{job.location}.{job.job_id}")
        return self._jobs.rest(job)

    def _query_badly(self, fault: Fault, body: dict[str, Any]) -> Any:
        return self._rows(self._jobs.query(body, **_fate(fault)), body)

    def _make_dataset(self, _names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self._tables.make_dataset(body)

    def _make_table(self, names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self._tables.make(names["dataset"], body)

    def _table(self, names: Mapping[str, str], _query: Mapping[str, str], _body: object) -> Any:
        return self._tables.get(names["dataset"], names["table"])

    def _drop_table(self, names: Mapping[str, str], _query: Mapping[str, str], _body: object) -> Any:
        self._tables.drop(names["dataset"], names["table"])
        return {}

    def _insert_job(self, _names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self._jobs.rest(self._jobs.insert(body["jobReference"], body["configuration"]))

    def _get_job(self, names: Mapping[str, str], query: Mapping[str, str], _body: object) -> Any:
        job = self._jobs.get(names["job"], query.get("location"))
        self._jobs.ask(job)
        return self._jobs.rest(job)

    def _query(self, _names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self._rows(self._jobs.query(body), body)

    def _results(self, names: Mapping[str, str], query: Mapping[str, str], _body: object) -> Any:
        job = self._jobs.get(names["job"], query.get("location"))
        self._jobs.ask(job)
        return self._rows(job, query)

    def _rows(self, job: Job, query: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "kind": "bigquery#getQueryResultsResponse",
            "jobReference": self._jobs.reference(job),
            "jobComplete": job.done.is_set(),
        }
        if job.error is not None:
            raise job.error
        if job.result is None:
            return answer
        if job.result.affected is not None:
            answer["numDmlAffectedRows"] = str(job.result.affected)
        first = int(query.get("pageToken") or query.get("startIndex") or 0)
        last = first + int(query.get("maxResults", 100_000))
        if last < len(job.result.rows):
            answer["pageToken"] = str(last)
        return answer | {
            "schema": {"fields": job.result.fields},
            "totalRows": str(len(job.result.rows)),
            "rows": rest_rows(job.result, first, last),
            "totalBytesProcessed": "0",
            "cacheHit": False,
        }


def _statement(step: str, body: Any) -> str | None:
    if step == "insert job":
        return kind_of(body["configuration"]["query"]["query"])
    return kind_of(body["query"]) if step == "query" else None


def _fate(fault: Fault) -> dict[str, Any]:
    return {
        "reason": fault.reason or ("invalidQuery" if fault.what == "fails" else None),
        "polls": fault.polls or int(fault.what == "runs long"),
    }


def _scripted(status: int) -> ApiError:
    reasons = {400: "invalid", 403: "accessDenied", 404: "notFound", 409: "duplicate", 412: "conditionNotMet"}
    reason = reasons.get(status, "rateLimitExceeded" if status == 429 else "backendError")
    return ApiError(reason, "as the test says", status=status)


def _changed(configuration: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The same query with these parameters: another run's."""
    changed = deepcopy(dict(configuration))
    for parameter in changed["query"].get("queryParameters", ()):
        if parameter["name"] in parameters:
            value = parameters[parameter["name"]]
            parameter["parameterValue"] = (
                {"arrayValues": [{"value": str(one)} for one in value]}
                if isinstance(value, list)
                else {"value": str(value)}
            )
    return changed
