"""What a run left unfinished → finished, whoever began it: units in doubt, and a replacement that is undone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exporter import steps
from exporter.errors import StreamsGoneError
from exporter.run import written_days

if TYPE_CHECKING:
    from exporter.entries import TableLedger, Unit
    from exporter.run import Run, Source


def recovered(run: Run, source: Source, known: TableLedger) -> TableLedger:
    """Nothing is in doubt any more: what is known of the table then.

    Raises WriteError, LedgerError, WarehouseError: a unit stays in doubt, or a replacement undone.
    """
    if run.options.dry_run or not (known.in_doubt or known.undone):
        return known
    for unit in known.in_doubt:
        started = time.monotonic()
        with run.interrupts.held(f"{source.name}, {written_days(unit.days)}, was committed"):
            run.report(unit, "recovered" if commit_unit(run, source, unit) else "abandoned", started)
    if known.undone:
        from exporter.replacement import finish  # noqa: PLC0415 - needs what a run with nothing to do does not

        finish(run, source, known.undone)
    return run.ledger.read_table(source.table)


def commit_unit(run: Run, source: Source, unit: Unit) -> bool:
    """Make a prepared unit visible, whoever prepared it. Repeatable.

    False: it is abandoned, and its days are open again. Raises WriteError, and LedgerError while nobody can know.
    """
    # Imported here: a run with nothing to do needs no gRPC.
    from exporter.commits import commit  # noqa: PLC0415
    from exporter.doubt import is_committed_after_all  # noqa: PLC0415
    from exporter.warehouse import path_of_table  # noqa: PLC0415

    if not unit.streams:
        return True  # prepared is committed
    try:
        commit(
            run.warehouse.write_client,
            table_path=path_of_table(source.name),
            streams=unit.streams,
            location=f"{source.name}, {written_days(unit.days)}",
        )
    except StreamsGoneError as gone:
        return is_committed_after_all(run, source, unit, gone)
    steps.reached("committed")
    run.ledger.mark(unit, "committed")
    steps.reached("marked")
    return True
