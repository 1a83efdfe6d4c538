"""What Cloud Run tells each task of an execution → the tables that are its share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exporter.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exporter.extractors import BaseExtractor

INDEX, COUNT = "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"

_REMEDY = "Cloud Run sets both: a task's number, from 0 on, and how many there are. Unset both to export all tables."


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShare:
    """One of `count` tasks that export the tables together. `index` is counted from 0, as Cloud Run does."""

    index: int = 0
    count: int = 1

    def of(self, extractors: Sequence[BaseExtractor[Any]]) -> list[BaseExtractor[Any]]:
        """In their order. Dealt out by name, one to each task in turn: no task has two tables more than another.

        Each task comes to the same for itself, whatever the order of the extractors, also when it is tried again. Where
        tasks do not, such as those of two images, the ledger sees to it that a table of two of them is exported once.
        """
        names = sorted(extractor.get_table_name() for extractor in extractors)[self.index :: self.count]
        return [extractor for extractor in extractors if extractor.get_table_name() in names]


def share_of_task(environ: Mapping[str, str]) -> TaskShare:
    """All there is, where Cloud Run says nothing. Raises SettingsError: what it says makes no sense."""
    given = [name for name in (INDEX, COUNT) if name in environ]
    if not given:
        return TaskShare()
    for name in (INDEX, COUNT):
        if name not in given:
            raise SettingsError(location=name, problem=f"is not set, but {given[0]} is.", remedy=_REMEDY)
        if not re.fullmatch("[0-9]{1,9}", environ[name]):
            raise SettingsError(location=name, problem=f"is {environ[name]!r}, not a number.", remedy=_REMEDY)
    index, count = int(environ[INDEX]), int(environ[COUNT])
    if index >= count:
        tasks = f"there is no such task of {count}" if count else f"{COUNT} is 0"
        raise SettingsError(location=INDEX, problem=f"is {index}, but {tasks}.", remedy=_REMEDY)
    return TaskShare(index=index, count=count)
