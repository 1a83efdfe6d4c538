"""One run of an export command, measured: `run_ours.py COMMAND ARGS…`."""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

from benchmarks.stopwatch import measured


def main() -> None:
    django.setup()
    command, *arguments = sys.argv[1:]
    # The other command is the idle one, and is to stay as small as it is.
    if command == "smolqwery_extract":
        _import_what_it_needs()
    with measured():
        call_command(command, *arguments)


def _import_what_it_needs() -> None:
    import django.db.models.sql.compiler
    import google.cloud.bigquery_storage_v1
    import grpc._interceptor
    import rich.console

    import benchmarks.flight_paths
    import exporter.adbc_postgresql
    import exporter.adbc_sqlite
    import exporter.direct
    import exporter.drafts
    import exporter.management.commands.smolqwery_extract

    del django, google, grpc, rich, benchmarks, exporter


if __name__ == "__main__":
    main()
