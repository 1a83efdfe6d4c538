"""What can go wrong: a class for each thing that a caller could handle differently.

ExporterError
├── SettingsError           a SMOLQWERY_* setting is missing or wrong
├── SchemaError             a dataclass or an extractor that BigQuery or Terraform would refuse
├── ExtractionError         an extractor raised, or yielded too few or too many rows
│   ├── RowError            one row, or one value in it, is refused
│   └── ConnectionLostError the database went away while a unit was read: another try may succeed
├── DayError                days that cannot be exported: a gap, a repetition, too old, unfinished
├── WarehouseError          BigQuery does not answer, or is not what Terraform should have made
│   └── TableError          a table is missing, or its columns differ from the dataclass
├── WriteError              rows did not reach BigQuery, or were not committed
│   └── StreamsGoneError    prepared streams that BigQuery will not commit
└── LedgerError             the ledger contradicts what is asked, or could not be written
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


class ExporterError(Exception):
    """Location, problem, remedy: `location: problem` and, on a line of its own, what to do."""

    def __init__(self, *, location: str, problem: str, remedy: str) -> None:
        self.location = location
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{location}: {problem}\n  {remedy}")


class SettingsError(ExporterError):
    """`location` is the setting's name."""


class SchemaError(ExporterError):
    """`location` is the dotted path of the extractor, the dataclass or its field."""


class ExtractionError(ExporterError):
    """`location` is the extractor and the day, or the database that cannot be read."""


class RowError(ExtractionError):
    """One row is refused; nothing of its day becomes visible. Rows are counted from 1 within their day."""

    def __init__(  # noqa: PLR0913 - the parts of a location
        self, *, extractor: str, day: date, row: int, column: str | None, problem: str, remedy: str
    ) -> None:
        self.extractor = extractor
        self.day = day
        self.row = row
        self.column = column
        place = f", column {column}" if column else ""
        super().__init__(location=f"{extractor}, {day}, row {row}{place}", problem=problem, remedy=remedy)


class ConnectionLostError(ExtractionError):
    """`location` is as in ExtractionError. Of the snapshot that was read nothing may be kept."""


class DayError(ExporterError):
    """`location` is a table or an option."""


class WarehouseError(ExporterError):
    """`location` is a project, a dataset or an endpoint."""


class TableError(WarehouseError):
    """`location` is `project.dataset.table`, with the column where one is meant."""


class WriteError(ExporterError):
    """`location` is `project.dataset.table` and the unit's days."""


class StreamsGoneError(WriteError):
    """BigQuery's last word is that it will not commit these streams: it does not know them (any more), or finds them in
    the wrong state, as it also does when they were committed already. `location` is as in WriteError. Whether the rows
    are there, the table itself must tell.
    """


class LedgerError(ExporterError):
    """`location` is the ledger and the table."""


def raised_by(what: str, error: Exception, *, location: str) -> ExtractionError:
    """`what`: a part of the team's, such as `extract()`. `location` is as in ExtractionError."""
    return ExtractionError(
        location=location,
        problem=f"{what} raised {type(error).__name__}: {in_a_line(error)}.",
        remedy="What was read of this day is not exported. Mend the extractor or its database, then run the command "
        "again.",
    )


def where(error: Exception) -> str:
    """The place in the code that raised it, for code of the team's that is called without a row in hand."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


def in_a_line(error: object) -> str:
    """What a library says, as part of a sentence of ours."""
    return " ".join(str(error).split()).rstrip(".?")
