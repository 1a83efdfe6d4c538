"""The Django app: no models, no migrations, only system checks and commands."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class ExporterConfig(AppConfig):
    name = "exporter"
    label = "smolqwery"
    verbose_name = "BigQuery exporter"

    def ready(self) -> None:
        from exporter.checks import check_all  # noqa: PLC0415 - extractors may import models

        checks.register(check_all, "smolqwery")
