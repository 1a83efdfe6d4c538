"""The options --retire and --forget, and what the last run recorded → the tables that are retired now."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from codegen.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from codegen.introspect import Table, Warehouse

_MAX_NAMES = 10


def with_retired(
    warehouse: Warehouse, last: Warehouse | None, *, retire: Iterable[str], forget: Iterable[str]
) -> Warehouse:
    """`last` is what the last run rendered. Raises an ExceptionGroup with an OptionError for each that is wrong."""
    tables = {table.name: table for table in last.tables} if last else {}
    retired = {table.name: table for table in last.retired} if last else {}
    retire, forget = dict.fromkeys(retire), dict.fromkeys(forget)
    sources = {table.name: table.source for table in warehouse.tables}
    problems = [*_not_to_retire(retire, tables, retired, sources), *_not_to_forget(forget, retired)]
    problems += [
        OptionError(location=f"--retire {name}", problem="it is also named with --forget.", remedy="Leave one out.")
        for name in retire
        if name in forget
    ]
    if problems:
        raise ExceptionGroup("options", problems)
    now = retired | {name: tables[name] for name in retire if name in tables}
    return replace(warehouse, retired=tuple(now[name] for name in sorted(now) if name not in forget))


def unknown_table(option: str, name: str, names: Iterable[str], *, kind: str = "table") -> OptionError:
    """Named with an option, and nowhere else."""
    known = sorted(names)
    by_case = [other for other in known if other.lower() == name.lower()]
    close = by_case or get_close_matches(name, known, n=1)
    if close:
        remedy = f"Did you mean {close[0]}?"
    elif known:
        rest = f" and {len(known) - _MAX_NAMES} more" if len(known) > _MAX_NAMES else ""
        remedy = f"There {'is' if len(known) == 1 else 'are'} {', '.join(known[:_MAX_NAMES])}{rest}."
    else:
        remedy = "There are none."
    return OptionError(location=f"{option} {name}", problem=f"there is no {kind} of that name.", remedy=remedy)


def _not_to_retire(
    names: Iterable[str], tables: Mapping[str, Table], retired: Mapping[str, Table], sources: Mapping[str, str]
) -> Iterator[OptionError]:
    for name in names:
        if name in sources:
            yield OptionError(
                location=f"--retire {name}",
                problem=f"{sources[name]} still fills this table.",
                remedy=f"Take {sources[name]!r} out of SMOLQWERY_EXTRACTORS first.",
            )
        # What is retired already is as it was asked for.
        elif name not in tables and name not in retired:
            yield unknown_table("--retire", name, tables)


def _not_to_forget(names: Iterable[str], retired: Mapping[str, Table]) -> Iterator[OptionError]:
    return (unknown_table("--forget", name, retired, kind="retired table") for name in names if name not in retired)
