"""Settings of the benchmarks: no database, one extractor, days in UTC."""

from __future__ import annotations

import os

SECRET_KEY = "no secret: this project signs nothing"
INSTALLED_APPS = ["exporter"]
USE_TZ = True
TIME_ZONE = "UTC"

SMOLQWERY_EXTRACTORS = os.environ.get("BENCHMARK_EXTRACTORS", "large_day.LargeDayExtractor").split(",")
SMOLQWERY_FIRST_DATE = "2025-01-01"
SMOLQWERY_PROJECT = "example-project"
SMOLQWERY_DATASET = "benchmark"
SMOLQWERY_DATASET_LOCATION = "EU"
