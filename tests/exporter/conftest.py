"""What these tests share: Hypothesis without a clock or a memory, and databases of their own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import hypothesis
import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker

# The machine may be busy, and a test that failed once must fail for everybody.
hypothesis.settings.register_profile("exporter", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("exporter")


class MakeAlias(Protocol):
    """An entry of DATABASES, by its name, for the time of a test."""

    def __call__(self, alias: str, configuration: dict[str, Any]) -> str: ...


@pytest.fixture(scope="session")
def postgresql() -> Iterator[dict[str, Any]]:
    """A real PostgreSQL, as DATABASES has it. Started once and stopped."""
    with tempfile.TemporaryDirectory(prefix="postgresql") as directory, pytest.MonkeyPatch.context() as environ:
        runtime = Path(directory, "run")
        runtime.mkdir(mode=0o700)
        environ.setenv("XDG_RUNTIME_DIR", str(runtime))  # where pgserver locks; it warns of any other place
        import pgserver

        server = pgserver.get_server(Path(directory, "data"), cleanup_mode="stop")
        try:
            yield database(server.get_uri())
        finally:
            server.cleanup()


@pytest.fixture
def make_alias(django_db_blocker: DjangoDbBlocker) -> Iterator[MakeAlias]:
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
