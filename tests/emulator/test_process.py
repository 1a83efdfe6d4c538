"""The emulator starts, says where, and never outlives the one who started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from emulator import process
from emulator.process import Emulator, EmulatorDidNotStartError, running_emulator

HERE = Path(__file__).parent


def is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def test_environ_points_every_client_to_it() -> None:
    emulator = Emulator(rest_url="http://127.0.0.1:1", grpc_endpoint="127.0.0.1:2")

    assert emulator.environ == {
        "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1",
        "BIGQUERY_STORAGE_EMULATOR_HOST": "127.0.0.1:2",
        "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT": "http://127.0.0.1:1/bigquery/v2/",
        "GOOGLE_OAUTH_ACCESS_TOKEN": "emulator",
        "GOOGLE_CLOUD_PROJECT": "example-project",
    }


def stand_in(script: str) -> tuple[str, str]:
    """A child that only says or does what a test is about: the real one takes seconds to start."""
    addresses = 'print(json.dumps({"rest_url": f"pid:{os.getpid()}", "grpc_endpoint": ""}), flush=True)'
    return "-c", f"import json, os, signal, sys, time\n{script.replace('ANNOUNCE', addresses)}"


def is_running(emulator: Emulator) -> bool:
    return Path("/proc", emulator.rest_url.removeprefix("pid:")).exists()


def test_what_it_writes_beside_its_memory_is_gone_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    addresses = 'print(json.dumps({"rest_url": os.getcwd(), "grpc_endpoint": ""}), flush=True)'
    monkeypatch.setattr(process, "SERVER", stand_in(f"open('spilled', 'w').close()\n{addresses}\ntime.sleep(60)"))

    with running_emulator() as emulator:
        spilled = list(Path(emulator.rest_url).iterdir())

    assert [path.name for path in spilled] == ["spilled"]
    assert not Path(emulator.rest_url).exists()
    assert list(tmp_path.iterdir()) == []


def test_it_stops_when_the_body_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SERVER", stand_in("ANNOUNCE\ntime.sleep(60)"))

    with suppress(ZeroDivisionError), running_emulator() as emulator:
        was_running = is_running(emulator)
        raise ZeroDivisionError

    assert (was_running, is_running(emulator)) == (True, False)


def test_one_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        process, "SERVER", stand_in("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nANNOUNCE\ntime.sleep(60)")
    )
    monkeypatch.setattr(process, "STOP_SECONDS", 0.2)

    with running_emulator() as emulator:
        pass

    assert not is_running(emulator)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("sys.exit('no such port')", "The emulator did not start: it ended with exit code 1.\nno such port"),
        ("print('half', end='', flush=True); time.sleep(60)", "The emulator did not start: no answer after 1 s."),
    ],
    ids=["ends", "hangs"],
)
def test_a_start_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, script: str, message: str) -> None:
    monkeypatch.setattr(process, "SERVER", stand_in(script))
    monkeypatch.setattr(process, "START_SECONDS", 1.0)

    with pytest.raises(EmulatorDidNotStartError) as failure, running_emulator():
        pass

    assert str(failure.value) == message


def test_it_ends_when_its_parent_is_killed() -> None:
    script = (
        "import sys; from emulator.process import running_emulator\n"
        "with running_emulator() as emulator:\n"
        "    print(emulator.grpc_endpoint, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=HERE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        address = parent.stdout.readline().strip()
        assert is_listening(address)
        parent.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 5
    while is_listening(address) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_listening(address)


def test_a_command_runs_beside_it_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo $GOOGLE_CLOUD_PROJECT $BIGQUERY_EMULATOR_HOST; exit 3"]
    script = (
        "import runpy, sys; from emulator import process\n"
        f"process.SERVER = {stand_in('ANNOUNCE; time.sleep(60)')!r}\n"
        f"sys.argv = {['emulator', *command]!r}; runpy.run_path({str(HERE)!r}, run_name='__main__')"
    )

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    project, pid = result.stdout.split()
    assert (project, result.stderr, result.returncode) == ("example-project", "", 3)
    assert not is_running(Emulator(rest_url=pid, grpc_endpoint=""))


def test_no_command_is_a_usage_error() -> None:
    result = subprocess.run([sys.executable, str(HERE)], capture_output=True, text=True, check=False)

    assert (result.stdout, result.stderr, result.returncode) == (
        "",
        "usage: python tests/emulator COMMAND ARGS…\n",
        2,
    )
