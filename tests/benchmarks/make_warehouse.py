"""The benchmark's dataset and tables, on the emulator that the environment names."""

from __future__ import annotations

import os

import django

from emulator.clients import clients_of
from emulator.process import Emulator
from emulator.warehouse import WarehouseCopy

if __name__ == "__main__":
    django.setup()
    emulator = Emulator(
        rest_url=os.environ["BIGQUERY_EMULATOR_HOST"], grpc_endpoint=os.environ["BIGQUERY_STORAGE_EMULATOR_HOST"]
    )
    WarehouseCopy.of_settings(clients_of(emulator)).make_all()
