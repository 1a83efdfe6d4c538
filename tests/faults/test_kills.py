"""The real command, killed and interrupted wherever it is: the next run completes the export, row for row."""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING

import pytest

from faults import places
from faults.places import every, one_of_each_step, quick_first
from faults.trial import SIZES, some_sizes, some_workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.runs import Ended, Run
    from faults.trial import Trial

INTERRUPT_SECONDS = 10.0
RENEW = "RENEW_GOLDEN=1 python -m pytest tests/faults/test_kills.py -k recorded"
IN_DOUBT = "prepared 2"
"""Where a first run dies, so that the second has something to recover."""
_MOMENTS = 40


@pytest.mark.parametrize(
    ("scenario", "sizes"),
    [("small", "small"), ("large", "large"), ("streams", "streams"), ("recovering", "small")],
)
def test_the_recorded_places_are_those_of_a_run(trial: Trial, scenario: str, sizes: str) -> None:
    if scenario == "recovering":
        trial.kill(at=IN_DOUBT)
    run = trial.start(sizes=sizes)
    run.ended()
    seen = places.summary(run.steps)

    if os.environ.get("RENEW_GOLDEN"):
        places.record(scenario, seen)
    assert places.recorded(scenario) == seen, f"If this is what it should be: {RENEW}"


@pytest.mark.parametrize("workers", quick_first([3], [2]))
def test_several_workers_come_to_the_same_places(trial: Trial, workers: int) -> None:
    """In another order: so these are places of theirs, too."""
    run = trial.with_runs(workers=workers).start()
    run.ended()

    assert sorted(run.steps) == sorted(every("small"))


@pytest.mark.parametrize("at", quick_first(one_of_each_step("small")[::2], every("small")))
def test_killed_at_a_step(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    trial.kill(at=at)

    trial.finish(sizes=some_sizes(at))
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first([], every("large")))
def test_killed_at_a_step_of_large_units(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    trial.kill(at=at, sizes="large")

    trial.finish()
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first(["opened 5", "finalized 4"], every("streams")))
def test_killed_at_a_step_of_units_with_several_streams(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    trial.kill(at=at, sizes="streams")

    trial.finish(sizes=some_sizes(at))
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first(["appended 6"], every("streams")))
def test_interrupted_at_a_step_of_units_with_several_streams(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    _require_interrupted(_interrupted(trial.suspended(at=at, sizes="streams")))

    trial.finish(sizes="streams")
    record_property("interrupts", 1)


@pytest.mark.parametrize("at", quick_first(["committed 4"], every("small")))
def test_several_workers_killed_at_a_step(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    """Whatever the others do just then; and tried again by Cloud Run, as the same task of the same execution."""
    several = trial.with_runs(workers=some_workers(at), task=(0, 1))
    several.kill(at=at)

    several.finish(sizes=some_sizes(at))
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first([IN_DOUBT], one_of_each_step("small")))
def test_killed_as_a_user_runs_it(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    """`python manage.py`, not a fork of a process that has imported everything."""
    trial.kill(at=at, fresh=True)

    trial.finish(fresh=True)
    record_property("kills", 1)


@pytest.mark.parametrize("at", quick_first(one_of_each_step("recovering")[1:4:2], every("recovering")))
def test_killed_again_while_it_recovers(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    trial.kill(at=IN_DOUBT)
    trial.kill(at=at)

    trial.finish()
    record_property("kills", 2)


@pytest.mark.parametrize("at", quick_first([], every("recovering")))
def test_several_workers_killed_again_while_they_recover(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    """As many tables are in doubt as were just then: the second kill may find less to do, and come too late."""
    several = trial.with_runs(workers=some_workers(at))
    several.kill(at=IN_DOUBT)
    again = several.start(at=at, sends="SIGKILL").ended()

    assert (again.stderr, again.exit_code) in {("", 0), ("", -signal.SIGKILL)}, again
    several.finish(sizes=some_sizes(at))
    record_property("kills", 1 + (again.exit_code != 0))


@pytest.mark.parametrize("seed", quick_first(range(1), range(40)))
def test_killed_at_a_random_moment(
    make_trial: Callable[[], Trial],
    clean_seconds: float,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    """And a second time, if that hits too: a run that has little left to do may be faster."""
    chance = random.Random(seed)
    trial, killed = _sent_some_time(make_trial, clean_seconds, chance, signal.SIGKILL)
    assert (killed.stderr, killed.exit_code) == ("", -signal.SIGKILL), killed
    second = trial.start(sizes=chance.choice(list(SIZES)))
    again = _sent_after(second, clean_seconds * chance.random(), signal.SIGKILL)

    assert (again.stderr, again.exit_code) in {("", 0), ("", -signal.SIGKILL)}, again
    trial.finish(sizes=chance.choice(list(SIZES)))
    record_property("kills", 1 + (again.exit_code != 0))


@pytest.mark.parametrize("at", quick_first(one_of_each_step("small")[1::3], every("small")))
def test_interrupted_at_a_step(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    _require_interrupted(_interrupted(trial.suspended(at=at)))

    trial.finish()
    record_property("interrupts", 1)


@pytest.mark.parametrize("at", quick_first(["prepared 4"], every("small")))
def test_several_workers_interrupted_at_a_step(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    several = trial.with_runs(workers=some_workers(at))
    _require_interrupted(_interrupted(several.suspended(at=at)))

    several.finish(sizes=some_sizes(at))
    record_property("interrupts", 1)


@pytest.mark.parametrize("at", quick_first([], every("recovering")))
def test_interrupted_while_it_recovers(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    trial.kill(at=IN_DOUBT)
    _require_interrupted(_interrupted(trial.suspended(at=at)))

    trial.finish()
    record_property("kills", 1)
    record_property("interrupts", 1)


def test_interrupted_as_a_user_runs_it(trial: Trial, record_property: Callable[[str, object], None]) -> None:
    _require_interrupted(_interrupted(trial.suspended(at="appended 5", fresh=True)))

    trial.finish(fresh=True)
    record_property("interrupts", 1)


@pytest.mark.parametrize("seed", quick_first([], range(20)))
def test_several_workers_killed_at_a_random_moment(
    make_trial: Callable[[], Trial],
    clean_seconds: float,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    workers = some_workers(seed)
    trial, killed = _sent_some_time(
        lambda: make_trial().with_runs(workers=workers), clean_seconds, random.Random(seed), signal.SIGKILL
    )

    assert (killed.stderr, killed.exit_code) == ("", -signal.SIGKILL), killed
    trial.finish(sizes=some_sizes(seed))
    record_property("kills", 1)


@pytest.mark.parametrize("seed", quick_first(range(1), range(20)))
def test_interrupted_at_a_random_moment(
    make_trial: Callable[[], Trial],
    clean_seconds: float,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    trial, interrupted = _sent_some_time(make_trial, clean_seconds, random.Random(seed), signal.SIGTERM)

    _require_interrupted(interrupted)
    trial.finish()
    record_property("interrupts", 1)


def _interrupted(run: Run) -> Ended:
    run.send(signal.SIGTERM)
    run.send(signal.SIGCONT)
    return run.ended(INTERRUPT_SECONDS)


def _require_interrupted(ended: Ended) -> None:
    assert ended.exit_code == 1, ended
    assert ended.stderr.startswith("Interrupted"), ended
    assert "Traceback" not in ended.stderr, ended


def _sent_some_time(
    make_trial: Callable[[], Trial], clean_seconds: float, chance: random.Random, number: signal.Signals
) -> tuple[Trial, Ended]:
    """A trial with a run that this signal reached while it exported: other moments are tried until one hits."""
    for _ in range(_MOMENTS):
        trial = make_trial()
        run = trial.start()
        ended = _sent_after(run, clean_seconds * chance.random(), number)
        # Before the command has begun to listen, and when it has done all, Python ends as it likes.
        if ended.exit_code != 0 and (number is signal.SIGKILL or 0 < len(run.steps) < len(every("small"))):
            return trial, ended
    raise AssertionError(f"{_MOMENTS} runs ended before {number.name} reached them")


def _sent_after(run: Run, seconds: float, number: signal.Signals) -> Ended:
    if not run.has_ended(within=seconds):
        run.send(number)
    return run.ended(INTERRUPT_SECONDS)
