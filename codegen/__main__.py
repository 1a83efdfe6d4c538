"""`python -m codegen`: the extractors that the settings name → Terraform in a directory, or what is out of date."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from codegen.blocks import refuse_silent_losses
from codegen.compatibility import DATASET, compared
from codegen.documents import add_options, make_document, refuse_needless, renderer
from codegen.errors import BreakingChangeError, ForeignFileError
from codegen.files import compare, write
from codegen.introspect import warehouse_of
from codegen.record import read_record
from codegen.refusal import changes_report, refuse
from codegen.report import drift_report, run_report
from codegen.retirement import with_retired
from exporter.conf import load_settings, settings_problems
from exporter.errors import ExporterError, SchemaError, SettingsError
from exporter.extractors import load_extractors

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from codegen.introspect import Warehouse
    from exporter.extractors import BaseExtractor

_DESCRIPTION = """\
Render the Terraform of the warehouse from the extractors of a Django project.

Run it where manage.py is. No database, no BigQuery and no Terraform is asked. Files that codegen did not make are
left alone; when one of them is in the way, nothing is written. Nor is anything when a table would lose rows by it, or
BigQuery would refuse what becomes of it: the warehouse is compared with that of the last run, in the same directory.
"""
_EXIT_CODES = """\
exit codes:
  0  the directory is what the extractors say
  1  --check found a difference, an extractor cannot have its table, a table would lose rows, or a file that codegen did
     not make is in the way
  2  the command line, the settings or the directory cannot be used
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """One run: reports on stdout, says what is wrong on stderr, returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    refuse_needless(parser, options)
    problems: tuple[ExporterError | ExceptionGroup[ExporterError], ...] = ()
    exit_code = 0
    try:
        _set_up_django()
        exit_code = _run(options)
    except* ExporterError as group:
        problems = group.exceptions
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
        exit_code = 1 if isinstance(problem, (SchemaError, ForeignFileError, BreakingChangeError)) else 2
    return exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m codegen",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--output",
        type=_directory,
        metavar="DIR",
        help="the directory; made where its parent exists (default: SMOLQWERY_TERRAFORM_DIR or terraform/warehouse)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, and say what a run would change")
    for option, what in (
        ("--allow-breaking", "render a change of this table that loses rows all the same"),
        ("--retire", "stop managing this table, whose extractor is gone, and leave it in BigQuery as it is"),
        ("--forget", "drop the record of this retired table: it is gone from BigQuery, or comes back"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="TABLE", help=f"{what}; repeatable")
    add_options(parser)
    return parser


def _directory(text: str) -> Path:
    """Raises ArgumentTypeError for the value of a variable that was not set, which Path takes for the current one."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; the current directory is `.`")
    return Path(text)


def _set_up_django() -> None:
    module = os.environ.get("DJANGO_SETTINGS_MODULE")
    if not module:
        raise SettingsError(
            location="DJANGO_SETTINGS_MODULE",
            problem="is not set.",
            remedy="Name the settings: DJANGO_SETTINGS_MODULE=shop.settings python -m codegen",
        )
    # As manage.py has it. `python -m` puts it there, unless PYTHONSAFEPATH is set.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        django.setup()
    except Exception as error:
        raise SettingsError(
            location=f"DJANGO_SETTINGS_MODULE={module}",
            problem=f"Django does not start: {type(error).__name__}: {error}.",
            remedy="Run codegen where manage.py is, in the project's environment; `manage.py check` shows more.",
        ) from error


def _run(options: argparse.Namespace) -> int:
    if problems := settings_problems():
        raise ExceptionGroup("settings", problems)
    settings = load_settings()
    warehouse = warehouse_of(settings, _load(settings.extractors))
    exit_code = make_document(options, warehouse, settings.project)
    if exit_code is not None:
        return exit_code
    directory = _from_here(options.output or settings.terraform_dir)
    command = _command(options.output)
    record = read_record(directory)
    last = record.warehouse if record else None
    warehouse = with_retired(warehouse, last, retire=options.retire, forget=options.forget)
    # What was named in this run is still needed in the one that a refusal proposes.
    again = _naming_tables(command, options, allowed={DATASET, *(table.name for table in warehouse.tables)})
    changes = compared(record, warehouse, command=again) if record else []
    files = compare(directory, _render(warehouse))
    refuse_silent_losses(directory, files, last)
    refuse(changes, warehouse, allowed=options.allow_breaking, command=again)
    if not options.check:
        write(directory, files)
        sys.stdout.write(changes_report(changes, warehouse) + run_report(directory, files))
        return 0
    drift = drift_report(directory, files)
    sys.stdout.write(changes_report(changes, warehouse) + drift)
    if drift:
        again = _naming_tables(command, options, allowed=options.allow_breaking)
        sys.stderr.write(f"Generated files are out of date. Run `{again}` and commit what it changes.\n")
    return 1 if drift else 0


def _load(paths: Sequence[str]) -> list[BaseExtractor[Any]]:
    """As load_extractors(), with all that is wrong at once."""
    extractors, problems = [], []
    for position, path in enumerate(paths):
        try:
            extractors += load_extractors([path], first_position=position)
        except SettingsError as problem:
            problems.append(problem)
    if problems:
        raise ExceptionGroup("SMOLQWERY_EXTRACTORS", problems)
    return extractors


def _from_here(directory: Path) -> Path:
    """Short in messages."""
    return directory.relative_to(Path.cwd()) if directory.is_relative_to(Path.cwd()) else directory


def _render(warehouse: Warehouse) -> dict[str, str]:
    files: dict[str, str] = renderer().render(warehouse)
    return files


def _naming_tables(command: str, options: argparse.Namespace, *, allowed: Collection[str]) -> str:
    """The command with the tables that this run names; with --allow-breaking those that are in `allowed`."""
    breaking = [table for table in options.allow_breaking if table in allowed]
    named = {"--allow-breaking": breaking, "--retire": options.retire, "--forget": options.forget}
    words = [word for option, tables in named.items() for table in tables for word in (option, table)]
    return " ".join([command, *map(shlex.quote, words)])


def _command(output: Path | None) -> str:
    command = f"DJANGO_SETTINGS_MODULE={os.environ['DJANGO_SETTINGS_MODULE']} python -m codegen"
    return f"{command} --output {shlex.quote(str(output))}" if output else command


if __name__ == "__main__":
    sys.exit(main())
