"""Settings of the example project: what a team would write, and a database by one environment variable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

PROJECT_DIR = Path(__file__).resolve().parents[1]
REPOSITORY = PROJECT_DIR.parents[1]


def database(name: str) -> dict[str, Any]:
    """A file of SQLite, or `postgresql://user:password@host:port/name` in any form that libpq knows."""
    if not name.startswith(("postgresql://", "postgres://")):
        # Write-ahead logging: an export can read while the site writes.
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {"init_command": pragmas}}

    from psycopg.conninfo import conninfo_to_dict  # not needed for SQLite

    options = conninfo_to_dict(name)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname", ""),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "OPTIONS": options,
    }


SECRET_KEY = "no secret: this project signs nothing and serves nobody"
INSTALLED_APPS = ["exporter", "flights"]
DATABASES = {"default": database(os.environ.get("FLIGHTS_DATABASE") or str(PROJECT_DIR / "flights.sqlite3"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "America/New_York"

SMOLQWERY_EXTRACTORS = [
    "flights.extractors.DepartureExtractor",
    "flights.extractors.TrafficExtractor",
    "flights.carrier_days.CarrierDayExtractor",
]
SMOLQWERY_FIRST_DATE = "2025-01-01"
SMOLQWERY_PROJECT = os.environ.get("GOOGLE_CLOUD_PROJECT", "example-project")
SMOLQWERY_DATASET = "flights"
SMOLQWERY_DATASET_LOCATION = "EU"
SMOLQWERY_ACL_GROUPS = ["data-team@example.com"]
SMOLQWERY_READER_GROUPS = ["analysts@example.com"]
SMOLQWERY_TERRAFORM_DIR = REPOSITORY / "terraform" / "warehouse"
