"""The options --adopt and --dictionary → what they print or write instead of Terraform's files."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from typing import TYPE_CHECKING

from codegen.adoption import imports_of
from codegen.dictionary import dictionary_of
from codegen.page import TEMPLATES, compare_page, page_path, write_page
from codegen.report import drift_report, run_report
from exporter.errors import SettingsError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path
    from types import ModuleType

    from codegen.introspect import Warehouse

_MODULE = "module.warehouse"
_GOES_WITH = {"adopt": {"adopt", "module"}, "dictionary": {"dictionary", "check"}}


def add_options(parser: ArgumentParser) -> None:
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
        help="instead of Terraform, write a page of tables and columns: Markdown or, ending with .html, HTML",
    )
    parser.add_argument(
        "--module", metavar="ADDRESS", help=f"of the warehouse in the root module, for --adopt (default: {_MODULE})"
    )


def refuse_needless(parser: ArgumentParser, options: Namespace) -> None:
    """Of the options that were given, none is overlooked: a usage error, as argparse has them."""
    given = {name for name, value in vars(options).items() if value not in (None, False, [])}
    for one, goes_with in _GOES_WITH.items():
        if one in given and (needless := sorted(given - goes_with)):
            parser.error(f"--{needless[0].replace('_', '-')} has no meaning with --{one}")
    if "module" in given and "adopt" not in given:
        parser.error("--module has no meaning without --adopt")


def make_document(options: Namespace, warehouse: Warehouse, project: str | None) -> int | None:
    """The exit code, or None where neither was asked for. Raises an ExporterError."""
    if options.adopt:
        imports = imports_of(warehouse, project, _MODULE if options.module is None else options.module)
        sys.stdout.write(renderer().render_imports(imports))
        return 0
    if options.dictionary:
        return _make_dictionary(options.dictionary, warehouse, project, check=options.check)
    return None


def renderer() -> ModuleType:
    """codegen.render, which needs Jinja: that comes with an extra that can be missing. Raises SettingsError."""
    try:
        return importlib.import_module("codegen.render")
    except ModuleNotFoundError as error:
        remedy = "Run `pip install 'smolqwery-terraform[codegen]'`."
        raise SettingsError(location="codegen", problem=f"{error}.", remedy=remedy) from error


def _make_dictionary(path: Path, warehouse: Warehouse, project: str | None, *, check: bool) -> int:
    template = TEMPLATES[path.suffix.lower()]
    page = compare_page(path, renderer().render_dictionary(template, dictionary_of(warehouse, project)))
    if not check:
        write_page(path, page)
        sys.stdout.write(run_report(path.parent, [page]))
        return 0
    drift = drift_report(path.parent, [page])
    sys.stdout.write(drift)
    if drift:
        command = f"DJANGO_SETTINGS_MODULE={os.environ['DJANGO_SETTINGS_MODULE']} python -m codegen --dictionary"
        sys.stderr.write(f"The page is out of date. Run `{command} {shlex.quote(str(path))}` and commit it.\n")
    return 1 if drift else 0
