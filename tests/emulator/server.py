"""The emulator's own process: bqemulator, repaired, in memory, until its stdin ends or it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bqemulator.config import LogFormat, LogLevel, PersistenceMode, Settings
from bqemulator.observability.logging_ import configure_logging

from emulator.process import PROJECT

if TYPE_CHECKING:
    from bqemulator.api.dependencies import AppContext
    from fastapi import FastAPI

# An open AppendRows call holds a thread. Python's default, two CPUs + 4, would let the seventh stream wait.
THREADS = 64


def main() -> None:
    parser = argparse.ArgumentParser(prog="emulator.server")
    parser.add_argument("--write-stream-rows", type=int, required=True)
    parser.add_argument("--unrepaired", action="store_true")
    options = parser.parse_args()
    settings = Settings(
        rest_port=0,
        grpc_port=0,
        default_project_id=PROJECT,
        persistence_mode=PersistenceMode.EPHEMERAL,
        write_api_max_stream_rows=options.write_stream_rows,
        enable_format_extensions=False,  # Avro would be downloaded
        log_level=LogLevel.WARNING,
        log_format=LogFormat.CONSOLE,
        metrics_enabled=False,
    )
    # Before the imports below: bqemulator logs at import, and unconfigured to stdout, which is ours.
    configure_logging(level=settings.log_level, fmt=settings.log_format)
    asyncio.run(_serve(settings, repaired=not options.unrepaired))


async def _serve(settings: Settings, *, repaired: bool) -> None:
    from bqemulator import server
    from bqemulator.api.app import create_app
    from bqemulator.domain.clock import SystemClock

    from emulator.repairs import storage
    from emulator.repairs.replace import replaces

    storage.load_spatial_from_package()
    if repaired:

        @replaces(server, "create_app")
        def create_repaired_app(context: AppContext) -> FastAPI:
            # The first moment at which engine, catalog and streams exist, and nothing is served yet.
            repair(context)
            return create_app(context)

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), _stop_at_the_end_of_stdin, stop)

    emulator = server.EmulatorServer(settings, clock=SystemClock())
    await emulator.start()
    # A million objects of its libraries, which live as long as it does: to look through them again and again would make
    # a tenth of a second of some call.
    gc.collect()
    gc.freeze()
    _announce({"rest_url": emulator.rest_url, "grpc_endpoint": emulator.grpc_endpoint})
    await stop.wait()
    # All is in memory: there is nothing to save, and an orderly stop waits for open calls.
    os._exit(0)


def _stop_at_the_end_of_stdin(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        stop.set()


def repair(context: AppContext) -> None:
    """Everything that is repaired, with its reasons, in one place: the modules named here."""
    from emulator.repairs import appends, commits, datasets, jobs, parsing, storage, streams, tables

    parsing.repair()
    storage.repair(context)
    datasets.repair(context)
    tables.repair(context)
    streams.repair(context)
    appends.repair()
    commits.repair()
    jobs.repair(context)


def _announce(addresses: dict[str, str]) -> None:
    print(json.dumps(addresses), flush=True)  # noqa: T201 the one line that the parent waits for
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main()
