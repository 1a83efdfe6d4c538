"""Several of the real command at once on the same tables: all end well, and every row is there once."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from faults.places import every, one_of_each_step, quick_first
from faults.trial import SIZES, some_sizes, some_workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.runs import Run
    from faults.trial import Trial

IN_DOUBT = "prepared 2"


@pytest.mark.parametrize(
    "sizes",
    quick_first(
        ["small middle large small"],
        [
            "small small",
            "small large",
            "large large",
            "streams streams",
            "streams small streams large",
            "middle small large",
            "small small small small",
            "middle middle middle middle",
        ],
    ),
)
def test_started_together(trial: Trial, sizes: str, record_property: Callable[[str, object], None]) -> None:
    runs = [trial.start(sizes=one) for one in sizes.split()]

    _require_done(runs)
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("sizes", quick_first(["small large"], ["small small", "small middle large small"]))
def test_started_together_as_a_user_runs_it(
    trial: Trial, sizes: str, record_property: Callable[[str, object], None]
) -> None:
    runs = [trial.start(sizes=one, fresh=True) for one in sizes.split()]

    _require_done(runs)
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("workers", quick_first([], ["3 1", "1 2", "2 3", "3 1 2", "3 3 3", "1 1 3 2"]))
def test_started_together_with_several_workers(
    trial: Trial, workers: str, record_property: Callable[[str, object], None]
) -> None:
    runs = [
        trial.with_runs(workers=int(one)).start(sizes=some_sizes((workers, place)))
        for place, one in enumerate(workers.split())
    ]

    _require_done(runs)
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize(
    "tasks", quick_first(["0/2 1/2"], ["0/3 1/3 2/3", "0/2 1/2 0/1", "0/3 1/3 0/2 1/2 2/3", "1/2 1/2 0/2"])
)
def test_tasks_of_one_execution(trial: Trial, tasks: str, record_property: Callable[[str, object], None]) -> None:
    """Also such that disagree about how many they are, and two attempts of one."""
    chosen = [tuple(map(int, one.split("/"))) for one in tasks.split()]
    runs = [
        trial.with_runs(workers=some_workers(tasks), task=(index, count)).start(sizes=some_sizes((tasks, place)))
        for place, (index, count) in enumerate(chosen)
    ]

    _require_done(runs)
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("seed", quick_first(range(1), range(30)))
def test_started_one_after_the_other(trial: Trial, seed: int, record_property: Callable[[str, object], None]) -> None:
    """Two to four, each when the one before it has reached some step, if the others have left it that much to do."""
    chance = random.Random(seed)
    runs: list[Run] = []
    for _ in range(chance.randint(2, 4)):
        _continue([run for run in runs[-1:] if run.is_stopped()])
        runs.append(trial.start(sizes=chance.choice(list(SIZES)), at=chance.choice(every("large")), sends="SIGSTOP"))
    _continue([run for run in runs[-1:] if run.is_stopped()])

    _require_done(runs)
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("at", quick_first(one_of_each_step("small")[1::3], every("small")))
def test_suspended_at_a_step_while_another_completes(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    suspended = trial.suspended(at=at)
    _require_done([trial.start(sizes=some_sizes(at))])
    _continue([suspended])

    _require_done([suspended])
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("at", quick_first(["looked again 3"], every("small")))
def test_several_workers_suspended_at_a_step_while_one_completes(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    suspended = trial.with_runs(workers=some_workers(at)).suspended(at=at)
    _require_done([trial.start(sizes=some_sizes(at))])
    _continue([suspended])

    _require_done([suspended])
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("at", quick_first([], every("small")))
def test_suspended_at_a_step_while_several_workers_complete(
    trial: Trial, at: str, record_property: Callable[[str, object], None]
) -> None:
    suspended = trial.suspended(at=at)
    _require_done([trial.with_runs(workers=some_workers(at)).start(sizes=some_sizes(at))])
    _continue([suspended])

    _require_done([suspended])
    trial.require_finished()
    record_property("overlaps", 1)


@pytest.mark.parametrize("at", quick_first(one_of_each_step("recovering")[:1], every("recovering")))
def test_suspended_while_it_recovers(trial: Trial, at: str, record_property: Callable[[str, object], None]) -> None:
    trial.kill(at=IN_DOUBT)
    suspended = trial.suspended(at=at)
    _require_done([trial.start(sizes=some_sizes(at))])
    _continue([suspended])

    _require_done([suspended])
    trial.require_finished()
    record_property("kills", 1)
    record_property("overlaps", 1)


@pytest.mark.parametrize("seed", quick_first(range(1), range(40)))
def test_several_suspended_then_continued_together(
    trial: Trial, seed: int, record_property: Callable[[str, object], None]
) -> None:
    """Whether a third completes meanwhile or not, and one of them may be killed instead."""
    chance = random.Random(seed)
    runs = [
        trial.start(sizes=chance.choice(list(SIZES)), at=chance.choice(every("small")), sends="SIGSTOP")
        for _ in range(chance.randint(2, 4))
    ]
    stopped = [run for run in runs if run.is_stopped()]
    if chance.random() < 0.5:
        _require_done([trial.start(sizes=chance.choice(list(SIZES)))])
    killed = [run for run in stopped if chance.random() < 0.25]
    for run in killed:
        run.send(signal.SIGKILL)
    chance.shuffle(stopped)
    _continue(stopped)

    assert [run.ended().exit_code for run in killed] == [-signal.SIGKILL] * len(killed)
    _require_done([run for run in runs if run not in killed])
    trial.finish(sizes=chance.choice(list(SIZES)))
    record_property("kills", len(killed))
    record_property("overlaps", 1)


def _continue(runs: list[Run]) -> None:
    for run in runs:
        run.send(signal.SIGCONT)


def _require_done(runs: list[Run]) -> None:
    """All of them say what they have done, and nothing else."""
    ends = [run.ended() for run in runs]
    assert [(end.stderr, end.exit_code) for end in ends] == [("", 0)] * len(ends), ends
