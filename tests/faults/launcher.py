"""Orders on stdin → processes, and their ends on stdout: JSON, a line each. Its own end is the end of all of them.

One process that has imported everything and opened nothing, so that a run is a fork and not two seconds of imports.
It also waits for the children, where one `select` sees their ends, their stops and the next order.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def main() -> None:
    _import_everything()
    gc.freeze()  # the children share these pages
    if order := _Launcher().serve():
        from django.core.management import execute_from_command_line

        # In the child, at the same depth as manage.py calls it: what is raised from here on ends as it does there.
        sys.argv = order["argv"][1:]
        execute_from_command_line(sys.argv)


def _import_everything() -> None:
    """What a run imports, apart from the project. None of it looks at Django's settings yet."""
    import django.contrib.contenttypes.management
    import django.core.management.commands
    import django.db.backends.sqlite3.base
    import google.cloud.bigquery_storage_v1
    import grpc
    import rich.console

    import exporter.apps
    import exporter.management.commands.smolqwery_extract
    import exporter.unit

    del django, google, grpc, rich, exporter


class _Launcher:
    def __init__(self) -> None:
        self._children: dict[int, int] = {}  # the number of its run, by its process id, which another may have later
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> dict[str, Any] | None:
        """In a forked child, what it is to do. Otherwise None, when there will be no more orders."""
        _tell({"event": "ready"})
        for order in self._orders():
            if "signal" in order:
                for child in [child for child, run in self._children.items() if run == order["run"]]:
                    os.kill(child, order["signal"])
                continue
            child = os.fork()
            if not child:
                _become(order)
                return order
            self._children[child] = order["run"]
        for child in self._children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        return None

    def _orders(self) -> Iterator[dict[str, Any]]:
        unread = b""
        while True:
            readable, _, _ = select.select([sys.stdin.fileno(), self._wake], [], [])
            if self._wake in readable:
                os.read(self._wake, 4096)
                self._tell_of_children()
            if sys.stdin.fileno() in readable:
                chunk = os.read(sys.stdin.fileno(), 65536)
                if not chunk:
                    return
                *lines, unread = (unread + chunk).split(b"\n")
                yield from map(json.loads, lines)

    def _tell_of_children(self) -> None:
        for child in sorted(self._children):
            pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                _tell({"event": "stopped", "run": self._children[pid]})
            elif pid:
                run = self._children.pop(pid)
                _tell({"event": "ended", "run": run, "exit_code": os.waitstatus_to_exitcode(status)})


def _become(order: dict[str, Any]) -> None:
    """Let this child be as if it had been started with this environment and these files; does not return if `fresh`."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = [nothing, *(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("stdout", "stderr"))]
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(order["environ"])
    if order["fresh"]:
        os.execve(order["argv"][0], order["argv"], order["environ"])


def _tell(event: dict[str, Any]) -> None:
    os.write(sys.stdout.fileno(), f"{json.dumps(event)}\n".encode())


if __name__ == "__main__":
    main()
