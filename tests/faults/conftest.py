"""A fault server for each test, and warehouses on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conftest import warehouse_on
from emulator.clients import clients_of, field
from faults.server import FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from conftest import MakeWarehouse
    from emulator.clients import Clients
    from emulator.warehouse import WarehouseCopy
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
    server_clients: Clients,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> MakeWarehouse:
    """As make_warehouse, on the fault server."""
    del no_cloud

    def make(*extractors: type[BaseExtractor[Any]], first_date: str = "2025-01-01") -> WarehouseCopy:
        return warehouse_on(server_clients, settings, monkeypatch, extractors, first_date=first_date)

    return make
