"""Days that are exported → their rows exchanged, together and once, for what the extractor yields now.

The rows go to a staging table of this replacement's own. Which replacement of the table is the n-th is decided in the
ledger, before its MERGE, and n + 1 begins when n is done. A job id runs once: so a run that wakes up late cannot bring
back what a newer replacement has exchanged. n is read before the rows are: the n-th has seen all that n - 1 had.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from exporter import steps
from exporter.commits import commit
from exporter.counts import window_parameters
from exporter.entries import Replacement, TableLedger
from exporter.errors import DayError, LedgerError
from exporter.jobs import Jobs, Ran
from exporter.recovery import recovered
from exporter.run import written_days
from exporter.tables import table_columns
from exporter.unit import drafted
from exporter.warehouse import path_of_table, translated_errors

if TYPE_CHECKING:
    from exporter.run import Run, Source

# Longer than anybody waits between a prepared replacement and the next run.
_STAGING_LIFE = timedelta(days=2)
_MAX_TRIES = 5

_MERGE = """
MERGE `{table}` AS `exported`
USING (SELECT {columns} FROM `{staging}`) AS `staged`
ON FALSE
WHEN NOT MATCHED BY SOURCE AND `exported`.`{date}` >= @start AND `exported`.`{date}` < @end THEN DELETE
WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({columns})
"""


def replace_days(run: Run, source: Source, known: TableLedger, first: date, last: date) -> None:
    """Raises DayError: some of the days are not exported. ExporterError: a row is refused, nothing is replaced."""
    for _ in range(_MAX_TRIES):
        _refuse_open_days(source, known, first, last)
        if _replaced(run, source, known, first, last):
            return
        # Another replacement was faster. Ours may have read before it what it has corrected: read again.
        known = recovered(run, source, run.ledger.read_table(source.table))
    raise LedgerError(
        location=f"{source.name}, {written_days((first, last))}",
        problem=f"not replaced: {_MAX_TRIES} times another run replaced days of this table meanwhile.",
        remedy="Run the command again when they are done.",
    )


def finish(run: Run, source: Source, replacement: Replacement) -> bool:
    """Run the MERGE, unless somebody did, and remember it. False: its staging table has expired, nothing is replaced.

    Raises LedgerError when BigQuery fails the MERGE three times, TableError when the table was made again.
    """
    started = time.monotonic()
    where = f"{source.name}, {written_days(replacement.days)}"
    with run.interrupts.held(f"{where}, was replaced"):
        run.warehouse.refuse_another(source.table)
        # The staging table's: the dataclass may have changed since. Where it is gone, no MERGE can succeed any more.
        names = run.warehouse.column_names(replacement.staging) or [
            column.name for column in table_columns(source.extractor)
        ]
        columns = ", ".join(f"`{name}`" for name in names)
        sql = _MERGE.format(
            table=source.name, staging=replacement.staging, columns=columns, date=source.date_column.name
        )
        key = ("merge", source.name, source.table.created.isoformat(), replacement.number)
        parameters = window_parameters(*source.bounds(replacement.days[0], replacement.days[-1]))

        def look(ran: Ran) -> bool | None:
            if ran.error is None:
                return True
            return None if run.warehouse.column_names(replacement.staging) else False

        with translated_errors(where):
            merged = Jobs(run.warehouse).run(key, sql, parameters, look)
        steps.reached("merged")
        run.ledger.mark(replacement, "replaced" if merged else "expired")
        steps.reached("replaced")
        run.report(replacement, "replaced" if merged else "not replaced", started)
    return merged


def _replaced(run: Run, source: Source, known: TableLedger, first: date, last: date) -> bool:
    """False: another run has the number that would be ours."""
    started = time.monotonic()
    staging = run.warehouse.exporter_name(f"replacing_{source.table.table_id}_{uuid4().hex}")
    if not run.options.dry_run:
        run.warehouse.make_staging_table(
            staging, table_columns(source.extractor), expires=datetime.now(UTC) + _STAGING_LIFE
        )
    with drafted(run, source, staging, lambda draft: draft.read_all(first, last)) as draft:
        unit = draft.finalize(run_id=run.options.run_id, generation=0)
        if run.options.dry_run:
            run.report(unit, "would replace", started)
            return True
        with run.interrupts.held(f"{source.name}, {written_days(unit.days)}, was staged"):
            if unit.streams:
                commit(
                    run.warehouse.write_client,
                    table_path=path_of_table(staging),
                    streams=unit.streams,
                    location=f"{source.name}, {written_days(unit.days)}",
                )
            steps.reached("staged")
            replacement = Replacement(
                table_id=unit.table_id,
                table_created=unit.table_created,
                days=unit.days,
                row_counts=unit.row_counts,
                number=known.replacements + 1,
                staging=staging,
                run_id=unit.run_id,
            )
            run.warehouse.refuse_another(source.table)
            if not run.ledger.begin_replacing(replacement):
                return False
            steps.reached("replacing")
    return finish(run, source, replacement)


def _refuse_open_days(source: Source, known: TableLedger, first: date, last: date) -> None:
    days = written_days((first, last))
    if known.head is None or known.first_day is None or last > known.head:
        exported = f"exported to {known.head} only" if known.head else "not exported yet"
        raise DayError(
            location=f"--replace, {source.name}, {days}",
            problem=f"{exported}: there is nothing to replace after that.",
            remedy="Run smolqwery_extract without --replace first, or give an earlier --to.",
        )
    if first < known.first_day and known.adopted_day is None:
        raise DayError(
            location=f"--replace, {source.name}, {days}",
            problem=f"exported from {known.first_day} on: earlier days cannot be added.",
            remedy=f"Give --from {known.first_day} or later.",
        )
