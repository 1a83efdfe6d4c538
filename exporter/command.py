"""What the commands share: errors without a traceback, exit codes, streams, the tables that are asked for."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Any, TextIO, cast

from django.core.management import BaseCommand, CommandError
from django.core.management.base import SystemCheckError

from exporter.conf import Settings, load_settings
from exporter.days import FIRST_DAY, LAST_DAY
from exporter.errors import ExporterError
from exporter.extractors import BaseExtractor, load_extractors
from exporter.tables import refuse_clashes

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from django.core.management.base import OutputWrapper
    from rich.table import Table

FAILED, USAGE = 1, 2


class ExporterCommand(BaseCommand):
    """Exit codes: 0 done, 1 something failed or differs, 2 usage.

    From the command line an error is printed as it is and ends the process; `call_command` gets the exception.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except SystemCheckError:
            raise  # Django prints these as it does for all commands
        except (CommandError, ExporterError) as error:
            if options.get("traceback") or not getattr(self, "_called_from_command_line", False):
                raise
            self.stderr.write(str(error))
            sys.exit(getattr(error, "returncode", FAILED))

    def add_table_argument(self, parser: ArgumentParser) -> None:
        parser.add_argument("tables", nargs="*", metavar="TABLE", help="Only these tables; default: all.")

    def chosen(self, tables: Sequence[str]) -> tuple[Settings, list[BaseExtractor[Any]]]:
        """The settings, and the extractors of these tables, or all.

        Raises SettingsError, CommandError; SchemaError: two of them have one table.
        """
        settings = load_settings()
        extractors = load_extractors(settings.extractors)
        refuse_clashes(extractors)  # `call_command()` leaves out the system check, which says it, too
        if not tables:
            return settings, extractors
        known = {extractor.get_table_name(): extractor for extractor in extractors}
        for table in tables:
            if table not in known:
                raise usage_error(f"{table!r} is not a table of SMOLQWERY_EXTRACTORS. Tables: {', '.join(known)}.")
        return settings, [extractor for name, extractor in known.items() if name in tables]

    def print_table(self, table: Table) -> None:
        from rich.console import Console  # noqa: PLC0415 - an export prints no table

        Console(file=stream_of(self.stdout), highlight=False, markup=False).print(table)


def stream_of(wrapper: OutputWrapper) -> TextIO:
    """What Django's wrapper wraps: rich asks the stream itself whether it is a terminal."""
    return cast("TextIO", wrapper._out)  # noqa: SLF001 - Django has no public name for it


def usage_error(message: str) -> CommandError:
    return CommandError(message, returncode=USAGE)


def parse_day(option: str, text: str | None) -> date | None:
    """Raises CommandError: not an ISO date, or one whose window no calendar holds."""
    try:
        day = None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise usage_error(f"{option} {text}: not a date. Write it as 2025-01-31.") from error
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise usage_error(f"{option} {text}: days go from {FIRST_DAY} to {LAST_DAY}.")
    return day


def require_order(first: tuple[str, date | None], last: tuple[str, date | None]) -> None:
    """Raises CommandError: the first day is after the last."""
    if first[1] is not None and last[1] is not None and first[1] > last[1]:
        raise usage_error(f"{first[0]} {first[1]} is after {last[0]} {last[1]}. Swap them.")
