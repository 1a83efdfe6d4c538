"""A server's own process: it answers as BigQuery does, at once, and throws rows away but for their number.

So what a client costs is seen without what an emulator costs. `GET /rows` tells how many rows each dataset was sent.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from emulator.process import PROJECT
from faults.clock import Clock
from faults.errors import ApiError
from faults.jobs import Jobs
from faults.rest_service import step_of
from faults.rest_steps import RestSteps
from faults.script import Script
from faults.streams import Stream, Streams
from faults.tables import Tables
from faults.write_service import WriteService

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_INSERT_ALL = re.compile(r"/bigquery/v2/projects/[^/]+/datasets/(\w+)/tables/\w+/insertAll")
_ROW = b'"json":'  # each row of a request has it once: as a name, for in a value the quotes are escaped


class CountedStreams(Streams):
    """PENDING streams that keep no rows."""

    def __init__(self, tables: Tables, clock: Clock, counts: Counter[str]) -> None:
        super().__init__(tables, clock)
        self._counts = counts

    def append(self, stream: Stream, batch: pa.RecordBatch, offset: int | None) -> int:
        assert offset in {None, stream.rows}
        at = stream.rows
        stream.rows += batch.num_rows
        return at

    def commit(self, names: Sequence[str]) -> tuple[datetime | None, dict[str, str]]:
        committed = super().commit(names)
        if committed[0] is not None:
            for stream in filter(None, map(self.get, names)):
                self._counts[stream.table.dataset] += stream.rows
        return committed


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    steps: RestSteps
    counts: Counter[str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, answer = 200, self._answer(server, body)
        except ApiError as error:
            status, answer = error.status, error.body
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_DELETE = do_GET  # noqa: N815 as the class wants them named

    def log_message(self, *_args: object) -> None:
        """Nothing."""

    def _answer(self, server: _Server, body: bytes) -> Any:
        if self.path == "/rows":
            return dict(server.counts)
        if inserted := _INSERT_ALL.match(self.path):
            server.counts[inserted[1]] += body.count(_ROW)
            return {"kind": "bigquery#tableDataInsertAllResponse"}
        return server.steps.answer(*step_of(self.command, self.path), json.loads(body or "{}"))


def serve(script: Script) -> None:
    """Until stdin ends."""
    clock, counts, broken = Clock(datetime.now(UTC)), Counter[str](), list[BaseException]()
    tables = Tables(PROJECT, clock)
    write = WriteService(CountedStreams(tables, clock, counts), script, broken)
    rest = _Server(("127.0.0.1", 0), _Handler)
    rest.steps, rest.counts = RestSteps(tables, Jobs(tables, clock), script), counts
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    addresses = {"rest_url": f"http://127.0.0.1:{rest.server_port}", "grpc_endpoint": write.endpoint}
    print(json.dumps(addresses), flush=True)  # noqa: T201 the one line that the parent waits for
    sys.stdin.buffer.read()
    os._exit(0)  # nothing is kept, and an orderly stop waits for open calls


if __name__ == "__main__":
    serve(Script())
