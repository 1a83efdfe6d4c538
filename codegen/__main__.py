"""`python -m codegen`: the extractors that the settings name → Terraform in a directory, or what is out of date."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from codegen.adoption import imports_of
from codegen.dictionary import dictionary_of
from codegen.errors import ForeignFileError
from codegen.files import compare, write
from codegen.introspect import warehouse_of
from codegen.page import TEMPLATES, compare_page, page_path, write_page
from codegen.report import drift_report, run_report
from exporter.conf import load_settings, settings_problems
from exporter.errors import ExporterError, SchemaError, SettingsError
from exporter.extractors import load_extractors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from codegen.files import File
    from codegen.introspect import Warehouse
    from exporter.conf import Settings
    from exporter.extractors import BaseExtractor

_DESCRIPTION = """\
Render the Terraform of the warehouse from the extractors of a Django project.

Run it where manage.py is. No database, no BigQuery and no Terraform is asked. Files that codegen did not make are
left alone; when one of them is in the way, nothing is written.
"""
_EXIT_CODES = """\
exit codes:
  0  the directory is what the extractors say
  1  --check found a difference, an extractor cannot have its table, or a file that codegen did not make is in the way
  2  the command line, the settings or the directory cannot be used
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """One run: reports on stdout, says what is wrong on stderr, returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if needless := _needless(options):
        parser.error(needless)
    problems: tuple[ExporterError | ExceptionGroup[ExporterError], ...] = ()
    exit_code = 0
    try:
        _set_up_django()
        exit_code = _run(options)
    except* ExporterError as group:
        problems = group.exceptions
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
        exit_code = 1 if isinstance(problem, (SchemaError, ForeignFileError)) else 2
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
        type=Path,
        metavar="DIR",
        help="the directory; made where its parent exists (default: SMOLQWERY_TERRAFORM_DIR or terraform/warehouse)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, and say what a run would change")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--adopt",
        action="store_true",
        help="write nothing, and print `import` blocks for what smolqwery made, to put into a file of the root module",
    )
    instead.add_argument(
        "--dictionary",
        type=page_path,
        metavar="FILE",
        help="instead of Terraform, a page of tables and columns for people: Markdown or, ending with .html, HTML",
    )
    parser.add_argument(
        "--module",
        metavar="ADDRESS",
        help="of the warehouse in the root module, for --adopt (default: module.warehouse)",
    )
    return parser


def _needless(options: argparse.Namespace) -> str:
    """What would be overlooked. Empty: nothing."""
    if options.output and (options.adopt or options.dictionary):
        return f"--output has no meaning with {'--adopt' if options.adopt else '--dictionary'}"
    if options.check and options.adopt:
        return "--check has no meaning with --adopt, which writes nothing"
    return "" if options.module is None or options.adopt else "--module has no meaning without --adopt"


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
    if options.adopt:
        module = "module.warehouse" if options.module is None else options.module
        imports = imports_of(warehouse, settings.project, module)
        sys.stdout.write(_renderer().render_imports(imports))
        return 0
    if options.dictionary:
        return _run_dictionary(warehouse, settings, _from_here(options.dictionary), check=options.check)
    directory = _from_here(options.output or settings.terraform_dir)
    files = compare(directory, _renderer().render(warehouse))
    if not options.check:
        write(directory, files)
    return _report(directory, files, check=options.check, arguments=("--output", options.output))


def _run_dictionary(warehouse: Warehouse, settings: Settings, path: Path, *, check: bool) -> int:
    dictionary = dictionary_of(warehouse, settings.project)
    page = compare_page(path, _renderer().render_dictionary(TEMPLATES[path.suffix.lower()], dictionary))
    if not check:
        write_page(path, page)
    return _report(path.parent, [page], check=check, arguments=("--dictionary", path))


def _report(directory: Path, files: Sequence[File], *, check: bool, arguments: tuple[str, Path | None]) -> int:
    """After the run, or instead of it."""
    if not check:
        sys.stdout.write(run_report(directory, files))
        return 0
    drift = drift_report(directory, files)
    sys.stdout.write(drift)
    if drift:
        sys.stderr.write(f"Generated files are out of date. Run `{_command(*arguments)}` and commit what it changes.\n")
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


def _renderer() -> ModuleType:
    """codegen.render, which needs Jinja: that comes with an extra that can be missing."""
    try:
        return importlib.import_module("codegen.render")
    except ModuleNotFoundError as error:
        remedy = "Run `pip install 'smolqwery-terraform[codegen]'`."
        raise SettingsError(location="codegen", problem=f"{error}.", remedy=remedy) from error


def _command(option: str, path: Path | None) -> str:
    command = f"DJANGO_SETTINGS_MODULE={os.environ['DJANGO_SETTINGS_MODULE']} python -m codegen"
    return f"{command} {option} {shlex.quote(str(path))}" if path else command


if __name__ == "__main__":
    sys.exit(main())
