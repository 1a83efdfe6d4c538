"""django-bigquery-exporter 0.2.4 with the flights, in its own environment."""

from __future__ import annotations

import os
from typing import Any

import django
import google.auth
from google.auth.credentials import AnonymousCredentials

from benchmarks.stopwatch import measured


def main() -> None:
    django.setup()
    from bigquery_exporter.base import BigQueryExporter

    from flights.models import Flight

    class DepartureExporter(BigQueryExporter):
        model = Flight
        fields = [field.name for field in Flight._meta.concrete_fields if field.name != "id"]  # noqa: RUF012 its way
        table_name = ".".join((os.environ["GOOGLE_CLOUD_PROJECT"], os.environ["BENCHMARK_DATASET"], "departure"))

    def no_credentials(*_args: Any, **_options: Any) -> tuple[AnonymousCredentials, str]:
        return AnonymousCredentials(), os.environ["GOOGLE_CLOUD_PROJECT"]

    google.auth.default = no_credentials
    with measured():
        if errors := DepartureExporter().export():
            raise SystemExit(str(errors[0]))


if __name__ == "__main__":
    main()
