"""Days that are replaced, killed and interrupted wherever it is, and two at once: one edition of them, row for row."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from faults import places
from faults.places import every, one_of_each_step, quick_first
from faults.trial import TABLES, some_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.runs import Run
    from faults.trial import Trial

INTERRUPT_SECONDS = 10.0
RENEW = "RENEW_GOLDEN=1 python -m pytest tests/faults/test_replacing.py -k recorded"


@pytest.fixture
def exported(trial: Trial) -> Trial:
    """All days, of the first edition."""
    _require_done([trial.start(sizes="large")])
    return trial


def test_the_recorded_places_are_those_of_a_run(exported: Trial) -> None:
    run = exported.start(replacing=1)
    _require_done([run])
    seen = places.summary(run.steps)

    if os.environ.get("RENEW_GOLDEN"):
        places.record("replacing", seen)
    assert places.recorded("replacing") == seen, f"If this is what it should be: {RENEW}"
    exported.require_finished(1, 1, 1)


@pytest.mark.parametrize("at", quick_first(one_of_each_step("replacing")[::3], every("replacing")))
def test_killed_and_asked_again(exported: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    exported.kill(at=at, replacing=1)

    _require_done([exported.start(replacing=1, sizes=some_sizes(at))])
    exported.require_finished(1, 1, 1)
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first(["merged 2"], every("replacing")))
def test_killed_and_left_to_the_next_export(
    exported: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    """What the ledger knows to be under way is completed, and nothing else has happened."""
    begun = _begun(exported.kill(at=at, replacing=1))

    _require_done([exported.start()])
    exported.require_finished(*[1] * begun, *[0] * (len(TABLES) - begun))
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first(["staged 1"], one_of_each_step("replacing")))
def test_killed_before_another_edition(
    exported: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    exported.kill(at=at, replacing=1)

    _require_done([exported.start(replacing=2)])
    exported.require_finished(2, 2, 2)
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first(["replacing 1"], every("replacing")))
def test_interrupted(exported: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    run = exported.suspended(at=at, replacing=1)
    run.send(signal.SIGTERM)
    run.send(signal.SIGCONT)
    interrupted = run.ended(INTERRUPT_SECONDS)

    assert interrupted.exit_code == 1, interrupted
    assert interrupted.stderr.startswith("Interrupted"), interrupted
    assert "Traceback" not in interrupted.stderr, interrupted
    _require_done([exported.start(replacing=1)])
    exported.require_finished(1, 1, 1)
    record_property("interrupts", 1)


@pytest.mark.parametrize("at", quick_first(one_of_each_step("replacing")[1::3], every("replacing")))
def test_suspended_while_another_edition_replaces(
    exported: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    """What had begun when the other came is older than it; what had not comes after it."""
    suspended = exported.suspended(at=at, replacing=1)
    begun = _begun(suspended)
    _require_done([exported.start(replacing=2, sizes=some_sizes(at))])
    suspended.send(signal.SIGCONT)

    _require_done([suspended])
    exported.require_finished(*[2] * begun, *[1] * (len(TABLES) - begun))
    record_property("overlaps", 1)


@pytest.mark.parametrize("editions", quick_first(["1 2"], ["2 1", "1 1 2", "1 2 1 2"]))
def test_started_together(exported: Trial, editions: str, record_property: Callable[[str, object], None]) -> None:
    runs = [exported.start(replacing=int(edition)) for edition in editions.split()]

    _require_done(runs)
    left = exported.editions()
    assert set(left) <= {1, 2}
    exported.require_finished(*left)
    record_property("overlaps", 1)


def _begun(run: Run) -> int:
    """The tables whose replacement the ledger knew when this run was stopped or killed."""
    return sum(place.startswith("replacing ") for place in run.steps)


def _require_done(runs: list[Run]) -> None:
    """All of them say what they have done, and nothing else."""
    ends = [run.ended() for run in runs]
    assert [(end.stderr, end.exit_code) for end in ends] == [("", 0)] * len(ends), ends
