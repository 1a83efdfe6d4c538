"""Say how far each table is exported."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management import CommandError
from django.utils import timezone
from rich.table import Table

from exporter.command import FAILED, ExporterCommand, usage_error
from exporter.status import TableStatus, table_statuses

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Sequence


class Command(ExporterCommand):
    help = (
        "Prints the first and last exported day, rows and lag of each table, and what is in doubt, abandoned, being "
        "replaced or adopted. Exit code 0: all is within --max-lag; 1: a table lags or cannot be read; 2: usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_table_argument(parser)
        parser.add_argument("--format", choices=("table", "json"), default="table")
        parser.add_argument("--max-lag", type=int, metavar="DAYS", help="Fail when a table is further behind.")

    def handle(
        self,
        *_args: str,
        tables: list[str],
        format: str,  # noqa: A002 - the option's name
        max_lag: int | None,
        **_options: Any,
    ) -> None:
        if max_lag is not None and max_lag < 0:
            raise usage_error(f"--max-lag {max_lag} is negative. Give the number of days that a table may lag.")
        settings, extractors = self.chosen(tables)
        statuses = table_statuses(settings, extractors, now=timezone.now())
        if format == "json":
            self.stdout.write(json.dumps([asdict(status) for status in statuses], indent=2, default=str))
        else:
            self._print_table(statuses)
        problems = [f"{status.table}: {status.problem}" for status in statuses if status.problem]
        problems += [
            f"{status.table} lags by {status.lag_days} days, more than {max_lag}."
            for status in statuses
            if max_lag is not None and status.lag_days is not None and status.lag_days > max_lag
        ]
        if problems:
            raise CommandError("\n".join(problems), returncode=FAILED)

    def _print_table(self, statuses: Sequence[TableStatus]) -> None:
        table = Table("table", "first day", "last day")
        for heading in ("rows", "lag (days)", "replaced days"):
            table.add_column(heading, justify="right")
        table.add_column("needs attention", style="bold")
        for status in statuses:
            adopted = " (adopted)" if status.adopted_day else ""
            table.add_row(
                status.table,
                f"{status.first_day}{adopted}" if status.first_day else "",
                str(status.last_day or ""),
                f"{status.rows:,}",
                "" if status.lag_days is None else str(status.lag_days),
                str(status.replaced_days),
                "\n".join(_attention(status)),
            )
        self.print_table(table)


def _attention(status: TableStatus) -> Iterator[str]:
    """What the next run settles, or says."""
    if status.problem:
        yield "cannot be read"
    if status.in_doubt:
        since = f", since {status.in_doubt_since:%Y-%m-%d %H:%M} UTC" if status.in_doubt_since else ""
        yield f"in doubt: {', '.join(status.in_doubt)}{since}"
    if status.abandoned:
        yield f"abandoned: {', '.join(status.abandoned)}"
    if status.being_replaced:
        yield f"being replaced: {status.being_replaced}"
