"""A fault server for each test, and warehouses on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.cloud.bigquery import client

from conftest import warehouse_on
from emulator.clients import clients_of, field
from exporter import commits, jobs, patience, warehouse
from exporter_cases.shop import OrderExtractor
from faults.endings import stock
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


@pytest.fixture
def orders(make_faulty_warehouse: MakeWarehouse) -> WarehouseCopy:
    """Three days with an order each, not exported yet."""
    stock()
    return make_faulty_warehouse(OrderExtractor)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries there is a moment, where there are seconds."""
    monkeypatch.setattr(patience, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(commits, "_LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "_PAUSE_SECONDS", 0.01)
    for module in (jobs, warehouse):
        monkeypatch.setattr(module, "RETRY", warehouse.RETRY.with_delay(0.01, 0.05))


@pytest.fixture
def soon_refused(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of a commit stays after half a second, where it is ten."""
    del quick
    monkeypatch.setattr(commits, "REFUSED_SECONDS", 0.5)


@pytest.fixture
def brief_commits(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second for a try of a commit, where it is half a minute."""
    del quick
    monkeypatch.setattr(commits, "CALL_SECONDS", 0.5)


@pytest.fixture
def impatient(soon_refused: None, brief_commits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not answered is given up after a few seconds, where it is a minute or two.

    What is answered has time enough on a busy machine: two seconds for a call of the REST API.
    """
    del soon_refused, brief_commits
    monkeypatch.setattr(commits, "NO_ANSWER_SECONDS", 1.5)
    monkeypatch.setattr(jobs, "JOB_SECONDS", 2.0)
    monkeypatch.setattr(client, "_MIN_GET_QUERY_RESULTS_TIMEOUT", 2.0)
    for module in (jobs, warehouse):
        monkeypatch.setattr(module, "CALL_SECONDS", 2.0)
        monkeypatch.setattr(module, "RETRY", module.RETRY.with_timeout(1.0))
