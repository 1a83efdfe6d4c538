"""What these tests share: Hypothesis without a clock or a memory, and a PostgreSQL."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Iterator

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
