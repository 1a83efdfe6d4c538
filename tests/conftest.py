"""What several directories share: one emulator, warehouses on it, databases, and commands as from the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import uuid4

import pytest
from django.core.management import execute_from_command_line
from django.db import DEFAULT_DB_ALIAS, connections

from emulator.clients import clients_of
from emulator.process import running_emulator
from emulator.warehouse import WarehouseCopy
from exporter_cases import shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from google.cloud import bigquery
    from pytest_django import DjangoDbBlocker, Settings

    from emulator.clients import Clients
    from emulator.process import Emulator
    from exporter import BaseExtractor

MANAGE = Path(__file__).parent / "example" / "manage.py"
PROCESS_SECONDS = 120.0
_AMBIENT = ("BIGQUERY_", "CLOUD_RUN_", "CLOUDSDK_", "FLIGHTS_", "GCE_", "GOOGLE_")
_SECONDS = re.compile(r"\b\d+\.\d s$", re.MULTILINE)


class Ended(NamedTuple):
    """What a command left. The seconds that its lines end with are zeros, so that they compare."""

    stdout: str
    stderr: str
    exit_code: int


class RunCommand(Protocol):
    def __call__(self, *argv: str) -> Ended: ...


class RunProcess(Protocol):
    def __call__(self, *argv: str, environ: Mapping[str, str] | None = None) -> Ended: ...


class MakeWarehouse(Protocol):
    def __call__(self, *extractors: type[BaseExtractor[Any]], first_date: str = "2025-01-01") -> WarehouseCopy: ...


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One for all tests, each with a dataset of its own. `make_warehouse` lets the environment point to it."""
    with running_emulator() as started:
        yield started


@pytest.fixture(scope="session")
def emulator_clients(emulator: Emulator) -> Clients:
    return clients_of(emulator)


@pytest.fixture
def bigquery_client(emulator_clients: Clients) -> bigquery.Client:
    return emulator_clients.bigquery


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither an emulator nor credentials are found, and the network is not asked for a metadata server."""
    for name in [name for name in os.environ if name.startswith(_AMBIENT)]:
        monkeypatch.delenv(name)
    for name, value in _no_credentials(tmp_path).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def make_warehouse(
    no_cloud: None,
    emulator_clients: Clients,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> MakeWarehouse:
    """Settings with these extractors, the environment that points to the emulator, and all that Terraform makes."""
    del no_cloud

    def make(*extractors: type[BaseExtractor[Any]], first_date: str = "2025-01-01") -> WarehouseCopy:
        return warehouse_on(emulator_clients, settings, monkeypatch, extractors, first_date=first_date)

    return make


def warehouse_on(
    clients: Clients,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    extractors: Iterable[type[BaseExtractor[Any]]],
    *,
    first_date: str,
) -> WarehouseCopy:
    """As the fixture make_warehouse says, with these clients' server for the emulator."""
    for name, value in clients.emulator.environ.items():
        monkeypatch.setenv(name, value)
    settings.SMOLQWERY_EXTRACTORS = [f"{one.__module__}.{one.__qualname__}" for one in extractors]
    settings.SMOLQWERY_FIRST_DATE = first_date
    settings.SMOLQWERY_PROJECT = clients.emulator.project
    settings.SMOLQWERY_DATASET = f"d{uuid4().hex[:12]}"
    settings.SMOLQWERY_DATASET_LOCATION = "EU"
    settings.SMOLQWERY_ACL_GROUPS = settings.SMOLQWERY_READER_GROUPS = []
    warehouse = WarehouseCopy.of_settings(clients)
    warehouse.make_all()
    return warehouse


@pytest.fixture(autouse=True)
def _empty_shelves() -> Iterator[None]:
    yield
    shop.orders.clear()
    shop.totals.clear()


@pytest.fixture
def make_alias(django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[[str, dict[str, Any]], str]]:
    """An entry of DATABASES for the time of a test: its name and what it holds. Gives back the name."""
    made: list[str] = []

    def make(alias: str, configuration: dict[str, Any]) -> str:
        completed = connections.configure_settings({DEFAULT_DB_ALIAS: dict(configuration)})
        connections.databases[alias] = completed[DEFAULT_DB_ALIAS]
        made.append(alias)
        return alias

    with django_db_blocker.unblock():
        yield make
        for alias in made:
            connections[alias].close()
            del connections[alias], connections.databases[alias]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the exporter take this instant, an ISO string with an offset, for now."""

    def set_now(text: str) -> None:
        instant = datetime.fromisoformat(text)

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # not of its own class
                return instant.astimezone(tz)

        for module in ("adoption", "bounds", "partitions"):
            monkeypatch.setattr(f"exporter.{module}.datetime", Clock)
        monkeypatch.setattr("django.utils.timezone.now", lambda: instant)

    return set_now


@pytest.fixture
def run_command(db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    """A management command in this process, exactly as manage.py runs it."""
    del db  # extractors and snapshots may use the database
    monkeypatch.setenv("COLUMNS", "120")  # of rich's tables

    def run(*argv: str) -> Ended:
        capsys.readouterr()
        exit_code = 0
        try:
            execute_from_command_line(["manage.py", *argv])
        except SystemExit as end:
            exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return _ended(*capsys.readouterr(), exit_code)

    return run


@pytest.fixture
def run_process(tmp_path: Path) -> RunProcess:
    """`python manage.py …` of the example project in a process of its own: no cloud, and this environment."""

    def run(*argv: str, environ: Mapping[str, str] | None = None) -> Ended:
        return run_manage(*argv, environ={**_no_credentials(tmp_path), **(environ or {})})

    return run


def run_manage(*argv: str, environ: Mapping[str, str]) -> Ended:
    """As a user runs it. Raises TimeoutExpired."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_AMBIENT)}
    ended = subprocess.run(
        [sys.executable, str(MANAGE), *argv],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**inherited, "DJANGO_SETTINGS_MODULE": "flights.settings", **environ},
        stdin=subprocess.DEVNULL,
        timeout=PROCESS_SECONDS,
    )
    return _ended(ended.stdout, ended.stderr, ended.returncode)


def _no_credentials(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "CLOUDSDK_CONFIG": str(home / "gcloud"), "NO_GCE_CHECK": "true"}


def _ended(stdout: str, stderr: str, exit_code: int) -> Ended:
    return Ended(_SECONDS.sub("0.0 s", stdout), _SECONDS.sub("0.0 s", stderr), exit_code)
