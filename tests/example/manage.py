#!/usr/bin/env python
"""Command line → Django's management commands, for the example project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # A team installs `exporter` with pip; the example also runs straight from the repository.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flights.settings")
    execute_from_command_line(sys.argv)
