"""Extractors → the Terraform of their warehouse, at build time: introspect → render → files.

`introspect` turns extractors into a `Warehouse`, `record` reads the last one from its directory, `compatibility` says
what changes between the two and `refusal` what may not; `render` turns a Warehouse into the text of each file, `files`
compares the texts with the directory and writes what differs. Nothing reaches back. codegen imports exporter; exporter
never imports codegen, and never Jinja.

`review` stands apart: a plan of Terraform → Markdown for a pull request, with the standard library alone.
"""

from __future__ import annotations
