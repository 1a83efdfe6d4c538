"""SIGTERM and SIGINT → an exception in the main thread, or after what must not be interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from exporter import interrupts
from exporter.interrupts import InterruptedRunError, Interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def interrupted(run: Callable[[Interrupts], object]) -> InterruptedRunError:
    """How `run` ends."""
    with pytest.raises(InterruptedRunError) as end, Interrupts() as own:
        run(own)
    return end.value


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@both_signals
def test_signal_interrupts_at_once(number: signal.Signals) -> None:
    done = []

    def run(_interrupts: Interrupts) -> None:
        done.append("before")
        signal.raise_signal(number)
        done.append("after")

    interrupted(run)

    assert done == ["before"]


def test_no_except_exception_swallows_it() -> None:
    assert not issubclass(InterruptedRunError, Exception)


@both_signals
def test_handlers_are_as_before_afterwards(number: signal.Signals) -> None:
    before = handlers()

    with Interrupts():
        during = handlers()
    interrupted(lambda _: signal.raise_signal(number))

    assert handlers() == before
    assert during[0] not in before
    assert during[1] not in before


@both_signals
def test_what_is_held_finishes_first(number: signal.Signals) -> None:
    done = []

    def run(own: Interrupts) -> None:
        with own.held("it was committed"):
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("committed")
        done.append("next unit")

    interrupted(run)

    assert done == ["committed"]


def test_interrupt_is_not_forgotten_when_what_is_held_fails() -> None:
    failure = ValueError("BigQuery said no.")

    def run(own: Interrupts) -> None:
        with own.held("it was committed"):
            signal.raise_signal(signal.SIGTERM)
            raise failure

    assert interrupted(run).__context__ is failure


def test_failure_of_what_is_held_is_raised() -> None:
    with (
        pytest.raises(ValueError, match="BigQuery said no"),
        Interrupts() as interrupts,
        interrupts.held("it was committed"),
    ):
        raise ValueError("BigQuery said no.")


def test_signal_after_what_was_held_interrupts_at_once() -> None:
    done = []

    def run(own: Interrupts) -> None:
        with own.held("it was committed"):
            done.append("committed")
        signal.raise_signal(signal.SIGTERM)
        done.append("next unit")

    interrupted(run)

    assert done == ["committed"]


def test_held_again_and_again() -> None:
    with Interrupts() as own:
        for _ in range(3):
            with own.held("it was committed"):
                pass


def test_other_threads_leave_signals_alone() -> None:
    before = handlers()
    seen: list[list[object]] = []

    def run() -> None:
        with Interrupts() as own, own.held("it was committed"):
            seen.append(handlers())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [before]


STUCK = """
import functools, os, signal, sqlite3, time
from exporter import interrupts
interrupts.END_SECONDS = 0.2
with interrupts.Interrupts() as one:
    signal.alarm(60)  # should all else fail
    {body}
"""
# A statement of SQLite's that says when it has begun and has no end: Python's handlers run between two of its own.
READING = """
    connection = sqlite3.connect('')
    connection.create_function('begun', 0, functools.partial(os.write, 1, b'ready\\n'))
    connection.execute('WITH RECURSIVE n(i) AS (SELECT begun() UNION ALL SELECT i FROM n) SELECT SUM(i) FROM n')
"""
COMMITTING = """
    with one.held('shop.order, 2025-01-01, was committed'):
        print("ready", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (READING, f"Interrupted while rows were read, and the database did not stop in time. {interrupts.GO_ON}\n"),
        (
            COMMITTING,
            "Interrupted while shop.order, 2025-01-01, was committed, and BigQuery did not answer in time. "
            "Run the command again: it finds out, and no row is lost or there twice.\n",
        ),
    ],
    ids=["reading", "committing"],
)
def test_what_does_not_end_is_ended_and_says_what_it_left(body: str, left: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK.format(body=body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        _, stderr = process.communicate(timeout=30)

    assert (stderr, process.returncode) == (left, 1)


FORKING = """
import multiprocessing
from exporter import interrupts
interrupts.END_SECONDS = 0.2
with interrupts.Interrupts() as one:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(abs, [-1, -2]))
    print(one._ended.wait(1.0))  # longer than the watcher waits
"""


def test_an_extractor_may_end_processes_that_it_forked() -> None:
    """A pool's end sends SIGTERM to its workers, which have our handlers and the watcher's pipe from their parent."""
    ended = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, check=False, encoding="utf-8", timeout=30
    )

    assert (ended.stdout, ended.stderr, ended.returncode) == ("[1, 2]\nFalse\n", "", 0)


def test_no_thread_and_no_descriptor_is_left() -> None:
    def opened() -> set[str]:
        return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - paths are not wanted

    before = opened()
    for _ in range(3):
        with Interrupts():
            during = opened()
        interrupted(lambda _: signal.raise_signal(signal.SIGTERM))

    assert len(during) > len(before)
    assert opened() == before
    assert "interrupts" not in {thread.name for thread in threading.enumerate()}
