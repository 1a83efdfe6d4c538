"""Compare the ledger with the rows really in BigQuery."""

from __future__ import annotations

from traceback import format_exception
from typing import TYPE_CHECKING, Any

from django.core.management import CommandError

from exporter.census import Scope
from exporter.command import FAILED, ExporterCommand, parse_day, require_order
from exporter.verify import verify

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from exporter.verify import Verdict

_MAX_DIFFERENCES = 20


class Command(ExporterCommand):
    help = (
        "Counts the rows that BigQuery has of each exported day and compares them with the ledger. Safe at any time, "
        "also during an export. Exit code 0: they agree; 1: they differ, or a table cannot be read; 2: usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_table_argument(parser)
        parser.add_argument("--from", dest="first", metavar="DAY", help="The first day to look at.")
        parser.add_argument("--to", dest="last", metavar="DAY", help="The last day to look at.")
        parser.add_argument(
            "--source", action="store_true", help="Also count the rows that the extractors yield now of each day."
        )

    def handle(
        self,
        *_args: str,
        tables: list[str],
        first: str | None,
        last: str | None,
        source: bool,
        verbosity: int,
        traceback: bool,
        **_options: Any,
    ) -> None:
        first_day, last_day = parse_day("--from", first), parse_day("--to", last)
        require_order(("--from", first_day), ("--to", last_day))
        settings, extractors = self.chosen(tables)
        failed: list[str] = []
        for verdict in verify(settings, extractors, Scope(first=first_day, last=last_day), with_source=source):
            if verbosity and verdict.error is None:
                self.stdout.write(str(verdict))
                self.stdout.flush()
            for line in _lines(verdict, tracebacks=traceback):
                self.stderr.write(line)
            if not verdict.agrees:
                failed.append(verdict.table)
        if failed:
            agreeing = len(extractors) - len(failed)
            raise CommandError(
                f"{agreeing} of {len(extractors)} tables agree. Look at: {', '.join(failed)}.", returncode=FAILED
            )


def _lines(verdict: Verdict, *, tracebacks: bool) -> Iterator[str]:
    if verdict.error is not None:
        text = "".join(format_exception(verdict.error)).rstrip() if tracebacks else str(verdict.error)
        yield f"{verdict.table} failed.\n{text}"
    shown, rest = verdict.differences[:_MAX_DIFFERENCES], verdict.differences[_MAX_DIFFERENCES:]
    yield from map(str, shown)
    if rest:
        days = sum(difference.days for difference in rest)
        yield f"{verdict.table}: and {days:,} more {'day' if days == 1 else 'days'}."
