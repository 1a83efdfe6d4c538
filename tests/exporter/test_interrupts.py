"""SIGTERM and SIGINT → an exception in the main thread, or after what must not be interrupted."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from exporter.interrupts import InterruptedRunError, Interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def interrupted(run: Callable[[Interrupts], object]) -> InterruptedRunError:
    """How `run` ends."""
    with pytest.raises(InterruptedRunError) as end, Interrupts() as interrupts:
        run(interrupts)
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

    def run(interrupts: Interrupts) -> None:
        with interrupts.held("it was committed"):
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("committed")
        done.append("next unit")

    interrupted(run)

    assert done == ["committed"]


def test_interrupt_is_not_forgotten_when_what_is_held_fails() -> None:
    failure = ValueError("BigQuery said no.")

    def run(interrupts: Interrupts) -> None:
        with interrupts.held("it was committed"):
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

    def run(interrupts: Interrupts) -> None:
        with interrupts.held("it was committed"):
            done.append("committed")
        signal.raise_signal(signal.SIGTERM)
        done.append("next unit")

    interrupted(run)

    assert done == ["committed"]


def test_held_again_and_again() -> None:
    with Interrupts() as interrupts:
        for _ in range(3):
            with interrupts.held("it was committed"):
                pass


def test_other_threads_leave_signals_alone() -> None:
    before = handlers()
    seen: list[list[object]] = []

    def run() -> None:
        with Interrupts() as interrupts, interrupts.held("it was committed"):
            seen.append(handlers())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [before]
