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
from exporter.drafts import drafted
from exporter.entries import Replacement, TableLedger
from exporter.errors import DayError, LedgerError
from exporter.jobs import Jobs, Ran
from exporter.recovery import recovered
from exporter.refusals import translated_errors
from exporter.run import written_days
from exporter.warehouse import path_of_table

if TYPE_CHECKING:
    from exporter.run import Run, Source

# Longer than anybody waits between a prepared replacement and the next run.
_STAGING_LIFE = timedelta(days=2)
_MAX_TRIES = 5

# One job changes at most 4,000 partitions (https://cloud.google.com/bigquery/quotas#partitioned_tables).
_MAX_DAYS, _MAX_DAYS_OF_HOURS = 3_900, 150

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
        if _unfinished(known, last) and not run.options.dry_run:
            # Begun by another run since ours had recovered. Days whose commit is still to come would be there twice.
            known = recovered(run, source, known)
            continue
        _refuse_days(source, known, first, last)
        if _replaced(run, source, known, first, last):
            return
        # Another replacement was faster. Ours may have read before it what it has corrected: read again.
        known = recovered(run, source, run.ledger.read_table(source.table))
    raise LedgerError(
        location=f"{source.name}, {written_days((first, last))}",
        problem=f"not replaced: {_MAX_TRIES} times another run exported or replaced days of this table meanwhile.",
        remedy="Run the command again when it is done.",
    )


def finish(run: Run, source: Source, replacement: Replacement) -> None:
    """Run the MERGE that another run has left, unless somebody did since.

    Raises LedgerError when BigQuery fails the MERGE three times, TableError when the table was made again.
    """
    started = time.monotonic()
    days = replacement.days
    with run.interrupts.held(f"{source.name}, {written_days(days)}, was replaced"):
        if _merged(run, source, replacement, started):
            return
        run.reporter.notice(
            replacement.table_id,
            f"{source.name}, {written_days(days)}: a replacement was left undone, and its rows have expired. "
            f"To replace these days still: manage.py smolqwery_extract {replacement.table_id} --replace "
            f"--from {days[0]} --to {days[-1]}",
        )


def _replaced(run: Run, source: Source, known: TableLedger, first: date, last: date) -> bool:
    """False: another run has the number that would be ours, or the rows expired before they were there."""
    started = time.monotonic()
    staging = run.warehouse.exporter_name(f"replacing_{source.table.table_id}_{uuid4().hex}")
    if not run.options.dry_run:
        # The columns as they are there, not as the dataclass has them: MERGE tells nested fields by their place.
        run.warehouse.make_staging_table(staging, source.table.fields, expires=datetime.now(UTC) + _STAGING_LIFE)
    with drafted(run, source, staging, lambda draft: draft.read_all(first, last)) as draft:
        unit = draft.finalize(run_id=run.options.run_id, generation=0)
        if run.options.dry_run:
            run.report(unit, "would replace", started)
            return True
        where = f"{source.name}, {written_days(unit.days)}"
        if unit.streams:
            client = run.warehouse.write_client
            # Held: an exception of a signal inside gRPC could leave a lock of its taken.
            with run.interrupts.held(f"{where}, was staged"):
                commit(client, table_path=path_of_table(staging), streams=unit.streams, location=where)
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
        with run.interrupts.held(f"{where}, was replaced"):
            if not run.ledger.begin_replacing(replacement):
                return False
            steps.reached("replacing")
            return _merged(run, source, replacement, started)


def _merged(run: Run, source: Source, replacement: Replacement, started: float) -> bool:
    """Whether the rows are exchanged now. False: the staging table was gone before they were, and nothing is."""
    # The last look: no statement can ask when its table was made, and MERGE would fill one that is made after this.
    run.warehouse.refuse_another(source.table)
    where = f"{source.name}, {written_days(replacement.days)}"
    # The staging table's: the dataclass may have changed since.
    names = run.warehouse.column_names(replacement.staging)
    gone = not names
    # Without it the statement must fail, also where BigQuery only overlooked it for a moment: all columns, or no row.
    columns = ", ".join(f"`{name}`" for name in names or ["no staging table"])
    sql = _MERGE.format(table=source.name, staging=replacement.staging, columns=columns, date=source.date_column.name)
    # The staging table is part of the key: a lost ledger counts from 1 again, and the first job 1 has run.
    key = ("merge", source.name, source.table.created.isoformat(), replacement.number, replacement.staging)
    parameters = window_parameters(*source.bounds(replacement.days[0], replacement.days[-1]))

    def look(ran: Ran) -> bool | None:
        nonlocal gone
        if ran.error is None:
            return True
        # Gone is what was not there before an attempt of ours, and is not there after it: every later attempt would
        # fail as well. One of another run may have begun while it was there, and still succeed: the next one tells.
        was_gone, gone = gone, not run.warehouse.column_names(replacement.staging)
        return False if was_gone and gone and (ran.ours or ran.refusal is not None) else None

    try:
        with translated_errors(where):
            merged = Jobs(run.warehouse).run(key, sql, parameters, look)
    except LedgerError as error:
        raise LedgerError(
            location=where,
            problem=f"prepared, but not replaced yet: {error.problem}",
            remedy="Mend what BigQuery names, then run the command again: it goes on with this replacement. Or drop "
            f"{replacement.staging}: then it is given up.",
        ) from error
    steps.reached("merged")
    run.ledger.mark(replacement, "replaced" if merged else "expired")
    steps.reached("replaced")
    run.report(replacement, "replaced" if merged else "not replaced", started)
    return merged


def _unfinished(known: TableLedger, last: date) -> bool:
    return known.undone is not None or any(unit.days[0] <= last for unit in known.in_doubt)


def _refuse_days(source: Source, known: TableLedger, first: date, last: date) -> None:
    location = f"--replace, {source.name}, {written_days((first, last))}"
    if known.head is None or known.first_day is None or last > known.head:
        exported = f"exported to {known.head} only" if known.head else "not exported yet"
        remedy = "Run smolqwery_extract without --replace first"
        raise DayError(
            location=location,
            problem=f"{exported}: only exported days can be replaced.",
            remedy=f"{remedy}, or give --to {known.head} or earlier." if known.head else f"{remedy}.",
        )
    if first < known.first_day and known.adopted_day is None:
        raise DayError(
            location=location,
            problem=f"exported from {known.first_day} on: earlier days cannot be added.",
            remedy=f"Give --from {known.first_day} or later.",
        )
    most = _MAX_DAYS_OF_HOURS if source.extractor.get_partitioning() == "HOUR" else _MAX_DAYS
    if (last - first).days >= most:
        raise DayError(
            location=location,
            problem=f"BigQuery exchanges the rows of at most {most:,} days of this table in one step.",
            remedy="Replace them in several runs.",
        )
