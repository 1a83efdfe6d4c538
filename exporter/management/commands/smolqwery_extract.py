"""Export all open days to BigQuery."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.management import CommandError

from exporter.command import FAILED, ExporterCommand, parse_day, require_order, stream_of, usage_error
from exporter.errors import SettingsError
from exporter.export import export
from exporter.interpreter import tuned
from exporter.interrupts import GO_ON, InterruptedRunError, Interrupts
from exporter.progress import JsonLines, Lines, ShareReport
from exporter.run import Options
from exporter.task_share import TaskShare, share_of_task

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from exporter.progress import Reporter


class Command(ExporterCommand):
    help = (
        "Exports every day that has ended and is not in BigQuery yet, table by table. Safe to run at any time, also "
        "twice at once. Each of several tasks of a Cloud Run job exports its share of the tables. Exit code 0: done; "
        "1: a table failed; 2: usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_table_argument(parser)
        parser.add_argument(
            "--from", dest="first", metavar="DAY", help="Refuse to start with another day; the first day to replace."
        )
        parser.add_argument("--to", dest="last", metavar="DAY", help="The last day to export or to replace.")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Exchange the rows of exported days, from --from to --to, for what the extractors yield now.",
        )
        parser.add_argument(
            "--workers",
            default=1,
            metavar="N",
            help="How many tables to export at once, each with database connections of its own; default: %(default)s.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Read and check all rows, write nothing.")

    def handle(
        self,
        *_args: str,
        tables: list[str],
        first: str | None,
        last: str | None,
        replace: bool,
        dry_run: bool,
        workers: str | int,
        verbosity: int,
        traceback: bool,
        **_options: Any,
    ) -> None:
        first_day, last_day = parse_day("--from", first), parse_day("--to", last)
        require_order(("--from", first_day), ("--to", last_day))
        if replace and (first_day is None or last_day is None):
            raise usage_error("--replace needs --from and --to: the first and the last day whose rows are exchanged.")
        settings, extractors = self.chosen(tables)
        share = _share()
        of_tables, extractors = len(extractors), share.of(extractors)
        run_id = os.environ.get("CLOUD_RUN_EXECUTION") or uuid4().hex
        options = Options(
            first=first_day,
            last=last_day,
            replace=replace,
            dry_run=dry_run,
            workers=_count_of_workers(workers),
            run_id=run_id,
        )
        reporter = self._reporter(run_id, verbosity, tracebacks=traceback)
        if share.count > 1:
            reporter.share(
                ShareReport(index=share.index, count=share.count, tables=len(extractors), of_tables=of_tables)
            )
            if not extractors:
                return
        try:
            with closing(reporter), Interrupts() as interrupts, tuned():
                failed = export(settings, extractors, options, reporter, interrupts)
        except InterruptedRunError as error:
            raise CommandError(f"Interrupted. {GO_ON}", returncode=FAILED) from error
        if failed:
            names = ", ".join(failed)
            raise CommandError(
                f"Exported {len(extractors) - len(failed)} of {len(extractors)} tables. Failed: {names}.",
                returncode=FAILED,
            )

    def _reporter(self, run_id: str, verbosity: int, *, tracebacks: bool) -> Reporter:
        stdout, stderr = stream_of(self.stdout), stream_of(self.stderr)
        if os.environ.get("CLOUD_RUN_JOB"):
            return JsonLines(stdout, run_id=run_id, verbosity=verbosity, tracebacks=tracebacks)
        return Lines(stdout, stderr, verbosity=verbosity, tracebacks=tracebacks)


def _share() -> TaskShare:
    """Raises CommandError: what Cloud Run says of this task makes no sense."""
    try:
        return share_of_task(os.environ)
    except SettingsError as error:
        raise usage_error(str(error)) from error


def _count_of_workers(given: str | int) -> int:
    """Raises CommandError: not a positive integer."""
    text = str(given)
    if not text.isdecimal() or not int(text):
        raise usage_error(f"--workers {text}: not a number of tables to export at once. Write it as 4.")
    return int(text)
