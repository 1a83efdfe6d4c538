"""A step of the protocol → what happens just then: the process dies, or another run does all that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporter import steps

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Killed(BaseException):
    """The end of a process, as far as one process can show it."""


def once(monkeypatch: pytest.MonkeyPatch, step: str, action: Callable[[], object]) -> None:
    """Let this happen the next time that the exporter reaches the step."""

    def reached(now: str) -> None:
        if now == step:
            monkeypatch.setattr(steps, "reached", before)
            action()

    before = steps.reached
    monkeypatch.setattr(steps, "reached", reached)


def die() -> None:
    raise Killed
