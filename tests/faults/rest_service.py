"""HTTP requests → steps of the REST API, and their answers as BigQuery writes them."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from emulator.process import PROJECT
from faults.errors import ApiError

if TYPE_CHECKING:
    from faults.rest_steps import RestSteps

_ROOT = r"/bigquery/v2/projects/(?P<project>[^/]+)"
_STEPS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (step, method, re.compile(_ROOT + path))
    for step, method, path in (
        ("make dataset", "POST", r"/datasets"),
        ("make table", "POST", r"/datasets/(?P<dataset>\w+)/tables"),
        ("table", "GET", r"/datasets/(?P<dataset>\w+)/tables/(?P<table>\w+)"),
        ("drop table", "DELETE", r"/datasets/(?P<dataset>\w+)/tables/(?P<table>\w+)"),
        ("insert job", "POST", r"/jobs"),
        ("get job", "GET", r"/jobs/(?P<job>[\w-]+)"),
        ("query", "POST", r"/queries"),
        ("results", "GET", r"/queries/(?P<job>[\w-]+)"),
    )
)
_READ_SECONDS = 30.0


def step_of(method: str, address: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The step, the names in its path, and its query. Raises ApiError."""
    url = urlsplit(address)
    for step, of_method, path in _STEPS:
        found = path.fullmatch(url.path)
        if method == of_method and found is not None:
            names = found.groupdict()
            if names.pop("project") != PROJECT:
                raise ApiError("notFound", f"Not found: Project {found['project']}")
            return step, names, dict(parse_qsl(url.query))
    raise ApiError("notFound", f"The fault server knows no {method} {url.path}")


class RestService:
    """An HTTP server on a free port. A connection carries one request, so none is left behind."""

    def __init__(self, steps: RestSteps, broken: list[BaseException]) -> None:
        self.steps = steps
        self.broken = broken
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.service = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="faults rest"
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """After the script has released all that waits."""
        self._server.shutdown()
        self._server.server_close()  # joins the threads of requests
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    service: RestService


class _Handler(BaseHTTPRequestHandler):
    timeout = _READ_SECONDS

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_GET  # noqa: N815 - as above

    def log_message(self, *_args: object) -> None:
        """Nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, answer = 200, self._answer(json.loads(body or "{}"))
        except ApiError as error:
            status, answer = error.status, error.body
        except Exception as error:  # noqa: BLE001 - a defect of this server: the test that met it fails
            self._service.broken.append(error)
            status, answer = 501, ApiError("notImplemented", repr(error), status=501).body  # clients do not retry it
        if answer is None:
            return
        data = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            pass  # the client has left

    def _answer(self, body: Any) -> Any:
        step, names, query = step_of(self.command, self.path)
        return self._service.steps.answer(step, names, query, body)

    @property
    def _service(self) -> RestService:
        return cast("_Server", self.server).service
