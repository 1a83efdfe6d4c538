"""A fault server for each test, and warehouses on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from emulator.clients import clients_of, field
from emulator.warehouse import WarehouseCopy
from faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from conftest import MakeWarehouse
    from emulator.clients import Clients
    from exporter import BaseExtractor


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Every fault that was scripted must have been met: a test that injects nothing proves nothing."""
    with FaultServer() as started:
        yield started
    assert started.broken == []
    assert started.script.unused() == []


@pytest.fixture
def server_clients(server: FaultServer) -> Iterator[Clients]:
    """Google's own, on the fault server."""
    clients = clients_of(server.emulator)
    yield clients
    clients.bigquery.close()
    clients.write.transport.close()


@pytest.fixture
def clients(server_clients: Clients) -> Clients:
    """With a dataset `d` in the EU, and in it a table `t` of one number `n`."""
    server_clients.http("POST", "datasets", {"datasetReference": {"datasetId": "d"}, "location": "EU"})
    server_clients.make_table("d.t", field("n"))
    return server_clients


@pytest.fixture
def make_faulty_warehouse(
    no_cloud: None,
    server: FaultServer,
    server_clients: Clients,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> MakeWarehouse:
    """As make_warehouse, on the fault server."""
    del no_cloud

    def make(*extractors: type[BaseExtractor[Any]], first_date: str = "2025-01-01") -> WarehouseCopy:
        for name, value in server.emulator.environ.items():
            monkeypatch.setenv(name, value)
        settings.SMOLQWERY_EXTRACTORS = [f"{one.__module__}.{one.__qualname__}" for one in extractors]
        settings.SMOLQWERY_FIRST_DATE = first_date
        settings.SMOLQWERY_PROJECT = server.emulator.project
        settings.SMOLQWERY_DATASET = f"d{uuid4().hex[:12]}"
        settings.SMOLQWERY_DATASET_LOCATION = "EU"
        settings.SMOLQWERY_ACL_GROUPS = settings.SMOLQWERY_READER_GROUPS = []
        warehouse = WarehouseCopy.of_settings(server_clients)
        warehouse.make_all()
        return warehouse

    return make
