"""Settings of a small project, all from the environment, with units as small as a test wants them."""

from __future__ import annotations

import json
import os
from importlib import import_module

from faults.project import source

SECRET_KEY = "no secret: this project signs nothing and serves nobody"
INSTALLED_APPS = ["exporter", "faults.project"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["FAULTS_DATABASE"]}}
USE_TZ = True
TIME_ZONE = source.ZONE.key

SMOLQWERY_EXTRACTORS = [
    "faults.project.extractors.VisitExtractor",
    "faults.project.extractors.TallyExtractor",
    "faults.project.extractors.ParcelExtractor",
]
SMOLQWERY_FIRST_DATE = f"{source.FIRST_DAY}"
SMOLQWERY_PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]
SMOLQWERY_DATASET = os.environ["FAULTS_DATASET"]
SMOLQWERY_DATASET_LOCATION = "EU"
SMOLQWERY_ACL_GROUPS: list[str] = []

for _path, _value in json.loads(os.environ["FAULTS_SIZES"]).items():
    _module, _name = _path.rsplit(".", 1)
    # One that exists: what is not read any more would silently make all units large.
    assert hasattr(import_module(_module), _name), _path
    setattr(import_module(_module), _name, _value)
