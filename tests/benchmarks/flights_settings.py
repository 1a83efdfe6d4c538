"""Settings of the processes that export the flights, of ours and of other tools."""

from __future__ import annotations

import os

from flights.settings import database

SECRET_KEY = "no secret: this project signs nothing"
INSTALLED_APPS = ["flights", *os.environ.get("BENCHMARK_APPS", "exporter").split()]
DATABASES = {"default": database(os.environ["FLIGHTS_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "America/New_York"

SMOLQWERY_EXTRACTORS = [os.environ.get("BENCHMARK_EXTRACTOR", "benchmarks.flight_paths.ByQuerySet")]
SMOLQWERY_FIRST_DATE = "2025-01-01"
SMOLQWERY_PROJECT = os.environ.get("GOOGLE_CLOUD_PROJECT", "example-project")
SMOLQWERY_DATASET = os.environ.get("BENCHMARK_DATASET", "benchmark")
SMOLQWERY_DATASET_LOCATION = "EU"
SMOLQWERY_ACL_GROUPS: list[str] = []
