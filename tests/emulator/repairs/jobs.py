"""Repairs of jobs: an id runs once, and a failed job says so where BigQuery says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bqemulator.api.dependencies import get_caller
from bqemulator.api.routes import jobs as routes
from bqemulator.catalog.models import JobMeta
from bqemulator.domain.errors import (
    AlreadyExistsError,
    DomainError,
    ErrorDetail,
    InvalidQueryError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceInUseError,
    ValidationError,
)
from bqemulator.jobs import executor
from bqemulator.storage.type_map import duckdb_type_to_bq_field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from emulator.repairs.replace import answers, replaces

if TYPE_CHECKING:
    import pyarrow as pa
    from bqemulator.api.dependencies import AppContext
    from starlette.requests import Request
    from starlette.responses import Response

_ERRORS = {
    error.bq_reason: error
    for error in (
        AlreadyExistsError,
        InvalidQueryError,
        NotFoundError,
        OutOfRangeError,
        PermissionDeniedError,
        ResourceInUseError,
        ValidationError,
    )
}


def repair(context: AppContext) -> None:
    locations: dict[tuple[str, str], str] = {}
    _report_location(locations)
    _run_an_id_once(context, locations)
    _refuse_a_failed_query(context)
    _find_a_job_where_it_is(context, locations)
    _refuse_results_of_a_failed_job(context, locations)
    _name_nested_json()


def _report_location(locations: dict[tuple[str, str], str]) -> None:
    """A job is where its request said, and a client asks for it there. bqemulator always says US."""
    original = routes._build_job_response

    @replaces(routes, "_build_job_response")
    def build_job_response(project: str, job_id: str, job: JobMeta, config: dict[str, Any]) -> dict[str, Any]:
        resource = original(project, job_id, job, config)
        resource["jobReference"]["location"] = locations.get((project, job_id), "US")
        return resource


def _find_a_job_where_it_is(context: AppContext, locations: dict[tuple[str, str], str]) -> None:
    """jobs.get needs the location of a job that is neither in US nor in EU. bqemulator finds it anywhere."""

    @answers(routes.router, "GET", "/projects/{project_id}/jobs/{job_id}")
    async def get_job(request: Request) -> Response:
        _refuse_another_location(request, locations)
        project, job_id = request.path_params["project_id"], request.path_params["job_id"]
        return JSONResponse(routes.get_job(project, job_id, context))


def _refuse_another_location(request: Request, locations: dict[tuple[str, str], str]) -> None:
    project, job_id = request.path_params["project_id"], request.path_params["job_id"]
    asked, known = request.query_params.get("location"), locations.get((project, job_id))
    if known is None:  # a query without an id of its own
        return
    is_here = known in ("US", "EU") if asked is None else asked.upper() == known.upper()
    if not is_here:
        raise NotFoundError(f"Not found: Job {project}:{asked or 'US'}.{job_id}")


def _run_an_id_once(context: AppContext, locations: dict[tuple[str, str], str]) -> None:
    """BigQuery: "If you reuse a job id, the request fails with 409", whether that job runs, succeeded or failed.
    bqemulator runs it again. The ledger's compare-and-swap is this promise.
    """

    @answers(routes.router, "POST", "/projects/{project_id}/jobs")
    async def insert_job(request: Request) -> Response:
        project = request.path_params["project_id"]
        body = await request.json()
        reference = body.get("jobReference", {})
        job_id = reference.get("jobId")
        if job_id is None or body["configuration"].get("dryRun"):
            return JSONResponse(await routes.insert_job(project, request, context, get_caller(request)))
        location = reference.get("location", "US")
        # No await between the look and the claim: the event loop makes them one step.
        if context.catalog.get_job(project, job_id) is not None:
            raise AlreadyExistsError(f"Already Exists: Job {project}:{location}.{job_id}")
        locations[project, job_id] = location
        context.catalog.upsert_job(_running(context, project, job_id, body["configuration"]))
        try:
            return JSONResponse(await routes.insert_job(project, request, context, get_caller(request)))
        except BaseException:
            # A request that is refused makes no job. (A query that fails makes one, and does not come here.)
            context.catalog.delete_job(project, job_id)
            raise


def _running(context: AppContext, project: str, job_id: str, configuration: dict[str, Any]) -> JobMeta:
    now = context.clock.now()
    return JobMeta(
        project_id=project,
        job_id=job_id,
        job_type="QUERY",
        state="RUNNING",
        configuration=configuration,
        creation_time=now,
        start_time=now,
        etag=job_id,
    )


def _refuse_a_failed_query(context: AppContext) -> None:
    """jobs.query answers a failed query with its HTTP error. bqemulator answers 200 and `errors`, which Terraform's
    provider takes for success: its ALTER TABLE … DROP COLUMN goes this way.
    """

    @answers(routes.router, "POST", "/projects/{project_id}/queries")
    async def query(request: Request) -> Response:
        result = await routes.query(request.path_params["project_id"], request, context, get_caller(request))
        for error in result.get("errors", ()):
            raise _error(error)
        return JSONResponse(result)


def _refuse_results_of_a_failed_job(context: AppContext, locations: dict[tuple[str, str], str]) -> None:
    """getQueryResults: the job's HTTP error if it failed, "not complete" while it runs. bqemulator: 404 for both."""

    @answers(routes.router, "GET", "/projects/{project_id}/queries/{job_id}")
    async def get_query_results(request: Request) -> Response:
        _refuse_another_location(request, locations)
        project, job_id = request.path_params["project_id"], request.path_params["job_id"]
        job = context.catalog.get_job(project, job_id)
        if job is not None and job.error_result:
            raise _error(job.error_result)
        if job is not None and job.state != "DONE":
            await asyncio.sleep(0.05)  # BigQuery waits up to timeoutMs, clients ask again at once
            return JSONResponse({"jobReference": {"projectId": project, "jobId": job_id}, "jobComplete": False})
        page = request.query_params
        result = await run_in_threadpool(
            routes.get_query_results,
            project,
            job_id,
            context,
            int(page.get("maxResults", 10_000)),
            int(page.get("startIndex", 0)),
            page.get("pageToken"),
        )
        return JSONResponse(result)


def _error(error: dict[str, Any]) -> DomainError:
    detail = ErrorDetail(reason=error["reason"], message=error["message"], location=error.get("location"))
    return _ERRORS.get(error["reason"], InvalidQueryError)(error["message"], details=[detail])


def _name_nested_json() -> None:
    """The client decodes JSON columns by their type, also inside RECORDs. bqemulator calls those STRING."""
    build = executor.build_response_schema

    @replaces(executor, "build_response_schema")
    def build_response_schema(schema: pa.Schema) -> list[dict[str, Any]]:
        entries = build(schema)
        for entry, field in zip(entries, schema, strict=True):
            duckdb_type = (field.metadata or {}).get(b"bqemu.duckdb_type", b"").decode()
            if "fields" in entry and "JSON" in duckdb_type:
                _name_json(entry, duckdb_type_to_bq_field(field.name, duckdb_type))
        return entries


def _name_json(entry: dict[str, Any], stored: dict[str, Any]) -> None:
    if stored["type"] == "JSON":
        entry["type"] = "JSON"
    for inner, inner_stored in zip(entry.get("fields", ()), stored.get("fields", ()), strict=True):
        _name_json(inner, inner_stored)
