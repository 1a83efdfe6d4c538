"""SIGTERM and SIGINT → an exception in the main thread, or after what must not be interrupted."""

from __future__ import annotations

import signal
import threading

import pytest

from exporter.interrupts import InterruptedRunError, Interrupts

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]


@both_signals
def test_signal_interrupts_at_once(number: signal.Signals) -> None:
    done = []

    with pytest.raises(InterruptedRunError), Interrupts():
        done.append("before")
        signal.raise_signal(number)
        done.append("after")

    assert done == ["before"]


def test_no_except_exception_swallows_it() -> None:
    assert not issubclass(InterruptedRunError, Exception)


@both_signals
def test_handlers_are_as_before_afterwards(number: signal.Signals) -> None:
    before = handlers()

    with Interrupts():
        during = handlers()
    with pytest.raises(InterruptedRunError), Interrupts():
        signal.raise_signal(number)

    assert handlers() == before
    assert during[0] not in before
    assert during[1] not in before


@both_signals
def test_what_is_held_finishes_first(number: signal.Signals) -> None:
    done = []

    with pytest.raises(InterruptedRunError), Interrupts() as interrupts:
        with interrupts.held():
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("committed")
        done.append("next unit")

    assert done == ["committed"]


def test_interrupt_is_not_forgotten_when_what_is_held_fails() -> None:
    failure = ValueError("BigQuery said no.")

    with pytest.raises(InterruptedRunError) as interrupted, Interrupts() as interrupts, interrupts.held():
        signal.raise_signal(signal.SIGTERM)
        raise failure

    assert interrupted.value.__context__ is failure


def test_failure_of_what_is_held_is_raised() -> None:
    with pytest.raises(ValueError, match="BigQuery said no"), Interrupts() as interrupts, interrupts.held():
        raise ValueError("BigQuery said no.")


def test_signal_after_what_was_held_interrupts_at_once() -> None:
    done = []

    with pytest.raises(InterruptedRunError), Interrupts() as interrupts:
        with interrupts.held():
            done.append("committed")
        signal.raise_signal(signal.SIGTERM)
        done.append("next unit")

    assert done == ["committed"]


def test_held_again_and_again() -> None:
    with Interrupts() as interrupts:
        for _ in range(3):
            with interrupts.held():
                pass


def test_other_threads_leave_signals_alone() -> None:
    before = handlers()
    seen: list[list[object]] = []

    def run() -> None:
        with Interrupts() as interrupts, interrupts.held():
            seen.append(handlers())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [before]
