"""Repairs of ALTER TABLE in SQL: several actions at once, and a catalog that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlglot
from bqemulator.catalog import ddl_sync
from bqemulator.catalog.models import TableSchema
from bqemulator.jobs import executor
from sqlglot import exp

from emulator.repairs.replace import replaces

if TYPE_CHECKING:
    import pyarrow as pa
    from bqemulator.api.dependencies import AppContext
    from bqemulator.row_access.identity import CallerIdentity


def repair() -> None:
    """Terraform's provider drops columns with one `ALTER TABLE … DROP COLUMN a, DROP COLUMN b` and then sends the new
    schema. DuckDB takes one action at a time, and bqemulator's catalog keeps the dropped columns.
    """
    run = executor._run_single_sql

    @replaces(executor, "_run_single_sql")
    async def run_single_sql(
        project_id: str,
        bq_sql: str,
        query_params: list[dict[str, Any]] | None,
        ctx: AppContext,
        *,
        caller: CallerIdentity,
    ) -> pa.Table:
        alter = _alter_table(bq_sql)
        if alter is None:
            return await run(project_id, bq_sql, query_params, ctx, caller=caller)
        for action in alter.args["actions"]:
            single = alter.copy()
            single.set("actions", [action.copy()])
            result = await run(project_id, single.sql(dialect="bigquery"), query_params, ctx, caller=caller)
        _follow(ctx, *ddl_sync._split_target(alter.this, project_id))
        return result


def _alter_table(sql: str) -> exp.Alter | None:
    """The statement, if it adds or drops columns. bqemulator has ways of its own for the others."""
    if not sql.lstrip().upper().startswith("ALTER TABLE"):
        return None
    try:
        tree = sqlglot.parse_one(sql, read="bigquery")
    except sqlglot.ParseError:
        return None
    actions = tree.args.get("actions")
    is_columns = actions and all(isinstance(action, exp.Drop | exp.ColumnDef) for action in actions)
    return tree if is_columns and isinstance(tree, exp.Alter) else None


def _follow(context: AppContext, project: str, dataset: str, table_id: str) -> None:
    """The columns that the catalog knows keep their attributes; new ones come as DuckDB has them."""
    table = context.catalog.get_table(project, dataset, table_id)
    if table is None:
        return
    found = {field.name: field for field in ddl_sync._introspect_schema(project, dataset, table_id, context).fields}
    kept = [field for field in table.schema_.fields if found.pop(field.name, None) is not None]
    schema = TableSchema(fields=(*kept, *found.values()))
    context.catalog.update_table(table.model_copy(update={"schema_": schema}))
