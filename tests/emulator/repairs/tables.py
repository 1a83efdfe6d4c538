"""Repairs of tables: what a table remembers, what an update changes in DuckDB, what a view says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bqemulator.api.routes import tables as routes
from bqemulator.catalog.models import TableMeta, TableSchema
from bqemulator.domain.errors import ResourceRef, ValidationError, resource_already_exists, resource_not_found
from bqemulator.jobs import executor
from bqemulator.storage.sql_identifiers import quoted_table_ref
from starlette.responses import JSONResponse

from emulator.repairs import alter, schemas
from emulator.repairs.replace import answers, replaces

if TYPE_CHECKING:
    from bqemulator.api.dependencies import AppContext
    from starlette.requests import Request
    from starlette.responses import Response

# What Terraform or an exporter can set and bqemulator's own model drops.
_REMEMBERED = ("expirationTime", "maxStaleness", "rangePartitioning", "requirePartitionFilter", "resourceTags")
_TABLES = "/projects/{project_id}/datasets/{dataset_id}/tables"


class Table(TableMeta):
    remembered: dict[str, Any] = {}  # noqa: RUF012 pydantic copies defaults


def repair(context: AppContext) -> None:
    schemas.keep_every_attribute()
    _report_all(context)
    _make_what_exists(context)
    _change_what_exists(context)
    alter.repair()


def _report_all(context: AppContext) -> None:
    """tables.get: a view's query, the dataset's location, and all that was written. bqemulator leaves them out, so
    Terraform would make the view again at every plan. It also does not count rows that came or went by DML.
    """
    to_rest = routes._table_to_rest

    @replaces(routes, "_table_to_rest")
    def table_to_rest(table: TableMeta) -> dict[str, Any]:
        resource = to_rest(table) | getattr(table, "remembered", {})
        dataset = context.catalog.get_dataset(table.project_id, table.dataset_id)
        if dataset is not None:
            resource["location"] = dataset.location
        if table.view_query is not None and table.table_type == "VIEW":
            resource["view"] = {"query": table.view_query, "useLegacySql": table.use_legacy_sql}
        if table.table_type == "TABLE":
            name = quoted_table_ref(table.project_id, table.dataset_id, table.table_id)
            (count,) = context.engine.execute(f"SELECT COUNT(*) FROM {name}").fetchone() or (0,)
            resource["numRows"] = str(count)
        return resource


def _make_what_exists(context: AppContext) -> None:
    """tables.insert: 404 without the dataset; a view must be a query that runs. bqemulator makes either."""

    @answers(routes.router, "POST", _TABLES)
    async def insert_table(request: Request) -> Response:
        project, dataset = request.path_params["project_id"], request.path_params["dataset_id"]
        if context.catalog.get_dataset(project, dataset) is None:
            raise resource_not_found(ResourceRef("dataset", project, dataset))
        table = await _requested(context, project, dataset, await request.json())
        if context.catalog.get_table(project, dataset, table.table_id) is not None:
            raise resource_already_exists(ResourceRef("table", project, dataset, table.table_id))
        # A view's row is a placeholder: queries are rewritten to its SQL. So is that of a table without columns.
        plain = table.schema_.fields if table.view_query is None else ()
        columns = schemas.duckdb_columns(plain) or "__placeholder INTEGER"
        async with context.engine.write_lock():
            context.engine.execute(f"CREATE TABLE {quoted_table_ref(project, dataset, table.table_id)} ({columns})")
            context.catalog.create_table(table)
        return JSONResponse(routes._table_to_rest(table))


def _change_what_exists(context: AppContext) -> None:
    """tables.update (PUT) replaces, tables.patch (PATCH) merges; both add columns to the data and refuse what BigQuery
    refuses. bqemulator changes its catalog only, to anything, and treats PUT as PATCH.
    """

    @answers(routes.router, "PUT", f"{_TABLES}/{{table_id}}")
    async def update_table(request: Request) -> Response:
        existing = _existing(context, request)
        cleared: dict[str, Any] = {
            "description": None,
            "friendly_name": None,
            "labels": {},
            "clustering": None,
            "remembered": {},
        }
        return await _change(context, existing, existing.model_copy(update=cleared), await request.json())

    @answers(routes.router, "PATCH", f"{_TABLES}/{{table_id}}")
    async def patch_table(request: Request) -> Response:
        existing = _existing(context, request)
        return await _change(context, existing, existing, await request.json())


def _existing(context: AppContext, request: Request) -> TableMeta:
    path = request.path_params
    table = context.catalog.get_table(path["project_id"], path["dataset_id"], path["table_id"])
    if table is None:
        raise resource_not_found(ResourceRef("table", path["project_id"], path["dataset_id"], path["table_id"]))
    return table


async def _change(context: AppContext, existing: TableMeta, base: TableMeta, body: dict[str, Any]) -> Response:
    project, dataset, table_id = existing.project_id, existing.dataset_id, existing.table_id
    table = await _requested(context, project, dataset, body | {"tableReference": {"tableId": table_id}}, base)
    if _partitions(table) != _partitions(existing):
        raise ValidationError("Cannot change partitioning/clustering spec for a partitioned/clustered table.")
    async with context.engine.write_lock():
        if table.view_query is None:
            name = f"{project}:{dataset}.{table_id}"
            fields = schemas.changed(name, existing.schema_.fields, table.schema_.fields)
            for alteration in schemas.alterations(existing.schema_.fields, fields):
                context.engine.execute(f"ALTER TABLE {quoted_table_ref(project, dataset, table_id)} {alteration}")
            table = table.model_copy(update={"schema_": TableSchema(fields=fields)})
        context.catalog.update_table(table)
    return JSONResponse(routes._table_to_rest(table))


def _partitions(table: TableMeta) -> tuple[str, str | None] | None:
    partitioning = table.time_partitioning
    return None if partitioning is None else (partitioning.type, partitioning.field)


async def _requested(
    context: AppContext, project: str, dataset: str, body: dict[str, Any], base: TableMeta | None = None
) -> Table:
    """The table that a request asks for, on top of `base`."""
    labels = {**(base.labels if base else {}), **(body.get("labels") or {})}
    body = body | {"labels": {key: value for key, value in labels.items() if value is not None}}
    values = dict(routes._rest_to_table_meta(project, dataset, body, context.clock, base))
    remembered = {**getattr(base, "remembered", {}), **{key: body[key] for key in _REMEMBERED if key in body}}
    values["remembered"] = {key: value for key, value in remembered.items() if value is not None}
    values["schema"] = values.pop("schema_")
    if values["view_query"] is not None:
        # BigQuery works a view's columns out itself, also when an update sends old ones along.
        values["schema"] = await _columns_of(context, project, values["view_query"])
        values["use_legacy_sql"] = (body.get("view") or {}).get("useLegacySql", False)
    return Table(**values)


async def _columns_of(context: AppContext, project: str, query: str) -> TableSchema:
    job = "_columns_of_view"
    await executor.execute_query_job(project, job, f"SELECT * FROM (\n{query}\n) LIMIT 0", None, context)
    executor.JOB_RESULTS.pop(job, None)
    return TableSchema(fields=routes._parse_schema_fields(executor.JOB_SCHEMAS.pop(job)))
