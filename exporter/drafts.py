"""Days of a table → the draft of a unit, read anew where the database went away."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connections

from exporter.errors import ConnectionLostError
from exporter.statements import RowsNeededError
from exporter.unit import Draft
from exporter.waits import sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exporter.run import Run, Source

_RECONNECT_PAUSES = (1.0, 2.0)


@contextmanager
def drafted(run: Run, source: Source, destination: str, read: Callable[[Draft], None]) -> Iterator[Draft]:
    """A draft for the table `destination` that `read` has filled: anew in a new snapshot when the database went away.

    Raises ConnectionLostError when it did so three times.
    """
    pauses, by_rows = iter((*_RECONNECT_PAUSES, None)), False
    while True:
        with Draft(run, source, destination, by_rows=by_rows) as draft:
            try:
                read(draft)
            except RowsNeededError:  # never by rows
                by_rows = True
                continue
            except ConnectionLostError as error:
                pause = next(pauses)
                if pause is None:
                    raise
                run.reporter.notice(source.table.table_id, f"{error.location}: {error.problem} Reading again.")
            else:
                yield draft
                return
        connections[source.extractor.get_database()].close()
        sleep(pause)
