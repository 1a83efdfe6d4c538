"""A real PostgreSQL for as long as the benchmark runs."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running_postgresql() -> Iterator[Any]:
    """A server of pgserver's. Raises ImportError where it has no wheel: for Python 3.13 and later."""
    # Near the root: the path of its socket must be short.
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        os.environ["XDG_RUNTIME_DIR"] = directory  # where pgserver has its lock
        from pgserver.postgres_server import get_server

        server = get_server(Path(directory, "data"), cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()
