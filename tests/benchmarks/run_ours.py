"""One run of an export command, measured: `run_ours.py COMMAND ARGS…`."""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

from benchmarks.stopwatch import measured


def main() -> None:
    django.setup()
    command, *arguments = sys.argv[1:]
    if command == "smolqwery_extract":
        # What it would import on its way. The other command is the idle one, and is to stay as small as it is.
        import google.cloud.bigquery_storage_v1

        import exporter.adbc_postgresql
        import exporter.adbc_sqlite
        import exporter.direct
        import exporter.unit

        del google, exporter
    with measured():
        call_command(command, *arguments)


if __name__ == "__main__":
    main()
