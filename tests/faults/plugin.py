"""What kills and overlaps share: trials, and pytest's closing line that says how many there were."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from faults.project import source
from faults.runs import Launcher, running_launcher
from faults.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import MakeWarehouse

COUNTED = ("kills", "interrupts", "overlaps")


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """One for all runs."""
    with running_launcher() as started:
        yield started


@pytest.fixture(scope="session")
def source_databases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """By edition."""
    directory: Path = tmp_path_factory.mktemp("source")
    paths = [directory / f"edition-{edition}.sqlite3" for edition in source.EDITIONS]
    for edition, path in enumerate(paths):
        source.write_database(path, edition)
    return paths


@pytest.fixture
def make_trial(
    make_warehouse: MakeWarehouse,
    launcher: Launcher,
    source_databases: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], Trial]]:
    """A new one for each call. No run outlives the test, also where it fails and leaves one suspended."""
    from faults.project.extractors import ParcelExtractor, TallyExtractor, VisitExtractor

    made: list[Trial] = []

    def make() -> Trial:
        trial = Trial(
            warehouse=make_warehouse(VisitExtractor, TallyExtractor, ParcelExtractor, first_date=f"{source.FIRST_DAY}"),
            launcher=launcher,
            databases=source_databases,
            directory=tmp_path_factory.mktemp("trial"),
        )
        made.append(trial)
        return trial

    yield make
    for run in [run for trial in made for run in trial.runs]:
        run.send(signal.SIGKILL)


@pytest.fixture
def trial(make_trial: Callable[[], Trial]) -> Trial:
    return make_trial()


@pytest.fixture(scope="session")
def _measured() -> list[float]:
    return []


@pytest.fixture
def clean_seconds(make_trial: Callable[[], Trial], _measured: list[float]) -> float:
    """What a run takes that nobody disturbs: random moments are fractions of it."""
    if not _measured:
        undisturbed = make_trial()
        started = time.monotonic()
        undisturbed.start().ended()
        _measured.append(time.monotonic() - started)
    return _measured[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests say theirs with `record_property`; what a failed one did counts for nothing."""
    properties = [one for report in terminalreporter.getreports("passed") for one in report.user_properties]
    counts = {name: sum(int(str(value)) for key, value in properties if key == name) for name in COUNTED}
    if any(counts.values()):
        terminalreporter.write_line(", ".join(f"{number} {name}" for name, number in counts.items()))
