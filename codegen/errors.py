"""What can go wrong with the output directory. What is wrong with extractors and settings, exporter.errors says.

ExporterError
├── OutputError          a file or directory that cannot be read or written
└── ForeignFileError     a file that codegen would write over, and did not make
"""

from __future__ import annotations

from exporter.errors import ExporterError


class OutputError(ExporterError):
    """`location` is the path."""


class ForeignFileError(ExporterError):
    """`location` is the path. Nothing was written."""
