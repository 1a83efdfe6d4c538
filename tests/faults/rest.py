"""Calls of the REST API → datasets, tables and jobs, and the faults that a test has scripted for them."""

from __future__ import annotations

import json
import re
import threading
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from faults.errors import ApiError
from faults.results import rest_rows
from faults.sql import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from faults.jobs import Job, Jobs
    from faults.script import Fault, Script
    from faults.tables import Tables

_ROOT = r"/bigquery/v2/projects/(?P<project>[^/]+)"
_STEPS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (step, method, re.compile(_ROOT + path))
    for step, method, path in (
        ("make dataset", "POST", r"/datasets"),
        ("make table", "POST", r"/datasets/(?P<dataset>\w+)/tables"),
        ("table", "GET", r"/datasets/(?P<dataset>\w+)/tables/(?P<table>\w+)"),
        ("drop table", "DELETE", r"/datasets/(?P<dataset>\w+)/tables/(?P<table>\w+)"),
        ("insert job", "POST", r"/jobs"),
        ("get job", "GET", r"/jobs/(?P<job>[\w-]+)"),
        ("query", "POST", r"/queries"),
        ("results", "GET", r"/queries/(?P<job>[\w-]+)"),
    )
)
_READ_SECONDS = 30.0


class Rest:
    """An HTTP server on a free port. A connection carries one request, so none is left behind."""

    def __init__(self, tables: Tables, jobs: Jobs, script: Script, broken: list[BaseException]) -> None:
        self.tables = tables
        self.jobs = jobs
        self.script = script
        self.broken = broken
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.rest = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="faults rest"
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """After the script has released all that waits."""
        self._server.shutdown()
        self._server.server_close()  # joins the threads of requests
        self._thread.join()

    def answer(self, step: str, names: Mapping[str, str], query: Mapping[str, str], body: Any) -> Any:
        """What the step answers; None closes the connection instead. Raises ApiError."""
        reference = body.get("jobReference", {}) if step == "insert job" else {}
        table = body["tableReference"]["tableId"] if step == "make table" else names.get("table")
        job = reference.get("jobId") or names.get("job")
        fault = self.script.call(step, table=table, job=job, statement=_statement(step, body))
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
            return self._insert_badly(fault, body)
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
        reason = fault.reason or ("invalidQuery" if fault.what == "fails" else None)
        polls = fault.polls or int(fault.what == "runs long")
        configuration = body["configuration"]
        if fault.what == "taken":
            configuration = _changed(configuration, fault.parameters)
        job = self.jobs.insert(body["jobReference"], configuration, polls=polls, reason=reason)
        if fault.what == "taken":
            raise ApiError("duplicate", f"Already Exists: Job {self.tables.project}:{job.location}.{job.job_id}")
        return self.jobs.rest(job)

    def _make_dataset(self, _names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self.tables.make_dataset(body)

    def _make_table(self, names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self.tables.make(names["dataset"], body)

    def _table(self, names: Mapping[str, str], _query: Mapping[str, str], _body: object) -> Any:
        return self.tables.get(names["dataset"], names["table"])

    def _drop_table(self, names: Mapping[str, str], _query: Mapping[str, str], _body: object) -> Any:
        self.tables.drop(names["dataset"], names["table"])
        return {}

    def _insert_job(self, _names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        return self.jobs.rest(self.jobs.insert(body["jobReference"], body["configuration"]))

    def _get_job(self, names: Mapping[str, str], query: Mapping[str, str], _body: object) -> Any:
        job = self.jobs.get(names["job"], query.get("location"))
        self.jobs.ask(job)
        return self.jobs.rest(job)

    def _query(self, _names: Mapping[str, str], _query: Mapping[str, str], body: dict[str, Any]) -> Any:
        reference = {"location": body["location"]} if "location" in body else {}
        return self._rows(self.jobs.insert(reference, {"query": body}), {})

    def _results(self, names: Mapping[str, str], query: Mapping[str, str], _body: object) -> Any:
        job = self.jobs.get(names["job"], query.get("location"))
        self.jobs.ask(job)
        return self._rows(job, query)

    def _rows(self, job: Job, query: Mapping[str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "kind": "bigquery#getQueryResultsResponse",
            "jobReference": self.jobs.reference(job),
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


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    rest: Rest


class _Handler(BaseHTTPRequestHandler):
    timeout = _READ_SECONDS

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_GET  # noqa: N815 - as above

    def log_message(self, *_args: object) -> None:
        """Nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, answer = 200, self._answer(json.loads(body or "{}"))
        except ApiError as error:
            status, answer = error.status, error.body
        except Exception as error:  # noqa: BLE001 - a defect of this server: the test that met it fails
            self._rest.broken.append(error)
            status, answer = 501, ApiError("notImplemented", repr(error), status=501).body  # clients do not retry it
        if answer is None:
            return
        data = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            pass  # the client has left

    def _answer(self, body: Any) -> Any:
        address = urlsplit(self.path)
        for step, method, path in _STEPS:
            found = path.fullmatch(address.path)
            if method == self.command and found is not None:
                names = found.groupdict()
                if names.pop("project") != self._rest.tables.project:
                    raise ApiError("notFound", f"Not found: Project {found['project']}")
                return self._rest.answer(step, names, dict(parse_qsl(address.query)), body)
        raise ApiError("notFound", f"The fault server knows no {self.command} {address.path}")

    @property
    def _rest(self) -> Rest:
        return cast("_Server", self.server).rest


def _statement(step: str, body: Any) -> str | None:
    if step == "insert job":
        return kind_of(body["configuration"]["query"]["query"])
    return kind_of(body["query"]) if step == "query" else None


def _scripted(status: int) -> ApiError:
    reasons = {400: "invalid", 403: "accessDenied", 404: "notFound", 409: "duplicate", 412: "conditionNotMet"}
    reason = reasons.get(status, "rateLimitExceeded" if status == 429 else "backendError")
    return ApiError(reason, "as the test says", status=status)


def _changed(configuration: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The same query with these parameters: another run's."""
    changed = deepcopy(dict(configuration))
    for parameter in changed["query"]["queryParameters"]:
        if parameter["name"] in parameters:
            value = parameters[parameter["name"]]
            parameter["parameterValue"] = (
                {"arrayValues": [{"value": str(one)} for one in value]}
                if isinstance(value, list)
                else {"value": str(value)}
            )
    return changed
