"""The shared emulator and, beside it, bqemulator as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from emulator.clients import Clients, clients_of
from emulator.process import running_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def as_it_comes() -> Iterator[Clients]:
    """Without repairs, and with a limit of rows in a stream that a test can reach."""
    with running_emulator(repaired=False, write_stream_rows=10) as emulator:
        yield clients_of(emulator)


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Clients:
    """The repaired emulator, or the one that a test's parameter names."""
    found: Clients = request.getfixturevalue(getattr(request, "param", "emulator_clients"))
    return found


@pytest.fixture
def dataset(clients: Clients) -> str:
    """A dataset of the test's own."""
    name = f"d{uuid4().hex[:12]}"
    clients.bigquery.create_dataset(name)
    return name
