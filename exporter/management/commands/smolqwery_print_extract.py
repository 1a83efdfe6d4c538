"""Print what extractors yield, checked as an export would, without BigQuery."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rich.table import Table

from exporter.command import ExporterCommand, parse_day, require_order, usage_error
from exporter.days import days_between, last_finished_day, window
from exporter.reading import read_rows
from exporter.tables import table_columns

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from exporter.conf import Settings
    from exporter.extractors import BaseExtractor


class Command(ExporterCommand):
    help = (
        "Prints the rows of some days, checked as an export would check them. Needs no BigQuery. "
        "Exit code 0: done; 1: a row is refused; 2: usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_table_argument(parser)
        parser.add_argument("-f", "--first-date", metavar="DAY", help="Default: the last date.")
        parser.add_argument("-l", "--last-date", metavar="DAY", help="Default: yesterday.")
        parser.add_argument("--format", choices=("table", "json", "csv"), default="table")

    def handle(
        self,
        *_args: str,
        tables: list[str],
        first_date: str | None,
        last_date: str | None,
        format: str,  # noqa: A002 - the option's name
        **_options: Any,
    ) -> None:
        first, last = parse_day("--first-date", first_date), parse_day("--last-date", last_date)
        settings, extractors = self.chosen(tables)
        last = last or last_finished_day(timezone.now(), settings.zone, timedelta(0))
        first = first or last
        require_order(("--first-date", first), ("--last-date", last))
        if format == "csv" and len(extractors) > 1:
            names = ", ".join(extractor.get_table_name() for extractor in extractors)
            raise usage_error(f"--format csv prints one table. Name one of: {names}.")
        for extractor in extractors:
            rows = _rows(settings, extractor, first, last)
            getattr(self, f"_print_{format}")(extractor, rows)

    def _print_table(self, extractor: BaseExtractor[Any], rows: Iterator[dict[str, Any]]) -> None:
        table = Table(title=extractor.get_table_name(), title_justify="left")
        for column in table_columns(extractor):
            style = "magenta" if column.name == extractor.get_date_field() else None
            table.add_column(column.name, style=style, overflow="fold")
        for row in rows:
            table.add_row(*("" if value is None else str(value) for value in row.values()))
        self.print_table(table)

    def _print_json(self, extractor: BaseExtractor[Any], rows: Iterator[dict[str, Any]]) -> None:
        for row in rows:
            entry = {"table": extractor.get_table_name(), "row": row}
            self.stdout.write(json.dumps(entry, ensure_ascii=False, default=_jsonable))

    def _print_csv(self, extractor: BaseExtractor[Any], rows: Iterator[dict[str, Any]]) -> None:
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(column.name for column in table_columns(extractor))
        for row in rows:
            writer.writerow(
                json.dumps(value, ensure_ascii=False, default=_jsonable)
                if isinstance(value, (list, dict))
                else _jsonable(value)
                if isinstance(value, bytes)
                else value
                for value in row.values()
            )


def _rows(settings: Settings, extractor: BaseExtractor[Any], first: date, last: date) -> Iterator[dict[str, Any]]:
    for day in days_between(first, last):
        yield from read_rows(extractor, window(day, settings.zone))


def _jsonable(value: object) -> str:
    """Bytes as hexadecimal digits, all else as Python writes it."""
    return value.hex() if isinstance(value, bytes) else str(value)
