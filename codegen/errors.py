"""What can go wrong with the output directory. What is wrong with extractors and settings, exporter.errors says.

ExporterError
├── OutputError          a file or directory that cannot be read or written, or a record that was edited by hand
├── OptionError          an option that names no table, or one that it does not fit
├── ForeignFileError     a file that codegen would write over, and did not make
└── BreakingChangeError  a table would lose rows, or BigQuery would refuse what becomes of it
"""

from __future__ import annotations

from exporter.errors import ExporterError


class OutputError(ExporterError):
    """`location` is the path."""


class OptionError(ExporterError):
    """`location` is the option with its value. Nothing was written."""


class ForeignFileError(ExporterError):
    """`location` is the path. Nothing was written."""


class BreakingChangeError(ExporterError):
    """`location` is the table. Nothing was written."""
