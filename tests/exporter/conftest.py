"""What these tests share: Hypothesis without a clock or a memory, and a PostgreSQL."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from exporter_cases.stock import make_items
from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakeAlias = Callable[[str, dict[str, Any]], str]

# The machine may be busy, and a test that failed once must fail for everybody.
hypothesis.settings.register_profile("exporter", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("exporter")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A real PostgreSQL, as DATABASES has it. Started once and stopped."""
    # Not in pytest's own: as root it runs as another user, and the path of its socket must be short.
    with tempfile.TemporaryDirectory(prefix="postgresql") as directory, pytest.MonkeyPatch.context() as environ:
        # Where pgserver has its lock, also when the process ends. It warns of any other place.
        environ.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        # It has no wheel for Python 3.13 yet.
        pgserver = pytest.importorskip("pgserver.postgres_server")
        server = pgserver.get_server(Path(directory), cleanup_mode="stop")
        try:
            yield database(server.get_uri())
        finally:
            server.cleanup()


@pytest.fixture
def sqlite_shop(make_alias: MakeAlias, tmp_path: Path) -> None:
    """The alias `shop`, without items."""
    make_alias("shop", database(str(tmp_path / "shop.sqlite3")))
    make_items("shop")


@pytest.fixture
def postgresql_shop(make_alias: MakeAlias, postgresql: dict[str, Any]) -> None:
    """As sqlite_shop."""
    make_alias("shop", postgresql)
    make_items("shop")


@pytest.fixture(params=["sqlite_shop", "postgresql_shop"])
def shop(request: pytest.FixtureRequest) -> str:
    """Each of the two, and which."""
    request.getfixturevalue(request.param)
    return str(request.param).removesuffix("_shop")
