"""README's commands and code, run; its tables, compared with what they describe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.process import Emulator

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^( *)(`{3,})(\w+)\n(.*?)^ *\2$", README, re.MULTILINE | re.DOTALL)
_SECONDS = re.compile(r"\d+(\.\d+)? ?s\b")
_ACCOUNTS = """
from datetime import UTC, datetime
from django.contrib.auth.models import User
for number, (day, staff) in enumerate([(1, True), (1, False), (2, False)]):
    joined = datetime(2025, 1, day, 12, tzinfo=UTC)
    User.objects.create(username=f"user{number}", date_joined=joined, is_staff=staff)
"""


def _blocks(language: str) -> list[str]:
    return [re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, _, name, text in BLOCKS if name == language]


def _console(command: str) -> str:
    """The output that README shows below a command."""
    shown = [block.split("\n", 1) for block in _blocks("console")]
    return next(rest for first, rest in shown if first == f"$ {command}")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's project made of README's own blocks, with a database of three accounts."""
    tmp_path = tmp_path_factory.mktemp("team")
    for language in ("python", "make", "hcl"):
        for text in _blocks(language):
            if heading := re.match(r"# ([\w/.]+)\n", text):
                path = tmp_path / heading[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
    database = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "shop.sqlite3")}}
    with (tmp_path / "shop" / "settings.py").open("a", encoding="utf-8") as settings:
        settings.write(f"SECRET_KEY = 'no secret'\nDATABASES = {database}\n")
    manage = (REPOSITORY / "tests" / "example" / "manage.py").read_text("utf-8")
    (tmp_path / "manage.py").write_text(manage.replace("flights.settings", "shop.settings"), "utf-8")
    _run(tmp_path, "python manage.py migrate --verbosity 0")
    _run(tmp_path, "python", "manage.py", "shell", "--verbosity", "0", "-c", _ACCOUNTS)
    return tmp_path


def _run(directory: Path, *command: str, environ: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that succeeds, as a team types it with its environment active."""
    done = _done(directory, *command, environ=environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def _done(
    directory: Path, *command: str, environ: Mapping[str, str] | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    words = command[0].split() if len(command) == 1 else list(command)
    # Not a `make` below the one that may run this.
    others = ("BIGQUERY_", "GOOGLE_", "TF_", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    paths = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(directory))),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "COLUMNS": "120",
    }
    env = {**inherited, **paths, **(environ or {})}
    return subprocess.run(words, cwd=directory, env=env, input=stdin, capture_output=True, text=True, check=False)


def test_a_change_that_loses_rows_is_refused_as_readme_shows(team: Path, tmp_path: Path) -> None:
    project = shutil.copytree(team, tmp_path / "team", ignore=shutil.ignore_patterns("warehouse"))
    extractors = project / "shop" / "extractors.py"
    now = extractors.read_text("utf-8")
    extractors.write_text(now.replace("    staff: int", "    country: str = sq_field()\n    staff: int"), "utf-8")
    _run(project, "python -m codegen")
    extractors.write_text(now, "utf-8")

    done = _done(project, "python -m codegen --check")

    assert (done.stdout, done.stderr, done.returncode) == ("", _console("python -m codegen --check"), 1)


def test_a_plan_is_reviewed_as_readme_shows() -> None:
    piped, review = _console("terraform plan -out=plan.bin").split("\n", 1)
    plan = (REPOSITORY / "tests" / "codegen" / "review_cases" / "readme" / "plan.json").read_text("utf-8")

    done = _done(REPOSITORY, piped.removeprefix("$ terraform show -json plan.bin | "), stdin=plan)

    assert (done.stdout, done.stderr, done.returncode) == (review, "", 1)


def test_the_dictionary_is_written_as_readme_shows(team: Path) -> None:
    command = "python -m codegen --dictionary dictionary.md"

    assert _run(team, command) == _console(command)
    _run(team, f"{command} --check")


def test_the_team_s_project_passes_its_checks_and_renders_terraform(team: Path) -> None:
    assert _run(team, "python manage.py check") == "System check identified no issues (0 silenced).\n"
    assert "table_user.tf" in _run(team, "make codegen")
    _run(team, "make check")
    _run(team, "terraform fmt -check -recursive terraform")


def test_the_team_s_pipeline_begins_with_nothing_but_a_checkout(team: Path) -> None:
    commands = _run(team, "make", "--dry-run", "plan", "apply").splitlines()

    assert commands[0] == "terraform -chdir=terraform init -input=false"
    assert 'backend "gcs"' in (team / "terraform" / "state.tf").read_text("utf-8")


def test_the_printed_rows_are_those_that_readme_shows(team: Path) -> None:
    command = "python manage.py smolqwery_print_extract -f 2025-01-01 -l 2025-01-02"

    assert _steady(_run(team, command)) == _steady(_console(command))


def test_the_exported_rows_are_those_that_readme_shows(team: Path, emulator: Emulator) -> None:
    make_tables = str(REPOSITORY / "tests" / "benchmarks" / "make_warehouse.py")
    environ = {
        **emulator.environ,
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests"), str(team))),
    }
    _run(team, "python", make_tables, environ=environ)

    stdout = _run(team, "python manage.py smolqwery_extract --to 2025-01-03", environ=environ)

    assert _steady(stdout) == _steady(_console("python manage.py smolqwery_extract"))
    for command in (
        "python manage.py smolqwery_verify",
        "python manage.py smolqwery_extract user --replace --from 2025-01-02 --to 2025-01-03",
    ):
        assert _steady(_run(team, command, environ=environ)) == _steady(_console(command))


def test_the_demo_prints_what_readme_shows() -> None:
    done = _make("demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert _steady(done.stdout) == _steady(_console("make demo"))


def _steady(output: str) -> list[str]:
    """Without what differs from run to run, or from machine to machine."""
    return [_SECONDS.sub("0 s", line).rstrip() for line in output.strip().splitlines()]


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As typed by a person, also when `make test` runs this."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    return subprocess.run(
        ["make", *arguments], cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False
    )


def test_the_test_command_runs_pytest() -> None:
    assert _console("make test")

    assert _make("-n", "test").stdout.splitlines()[-1] == ".venv/bin/python -m pytest -n 3 --dist loadfile"


@pytest.mark.parametrize(
    "command", ["smolqwery_extract", "smolqwery_print_extract", "smolqwery_status", "smolqwery_verify"]
)
def test_the_commands_take_the_options_that_readme_lists(team: Path, command: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `manage.py {command}"))
    usage = _run(team, f"python manage.py {command} --help")

    for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", row.split("` |")[0]):
        assert re.search(rf"(?<![\w-]){option}\b", usage), option


def test_every_check_is_listed() -> None:
    source = (REPOSITORY / "exporter" / "checks.py").read_text("utf-8")
    numbers = {f"E{int(number):03}" for number in re.findall(r"_error\((\d+), ", source)}
    raised = {f"smolqwery.{name}" for name in numbers | set(re.findall(r"smolqwery\.([EW]\d{3})", source))}

    assert set(re.findall(r"^\| `(smolqwery\.[EW]\d{3})` \|", README, re.MULTILINE)) == raised


def test_every_setting_is_listed() -> None:
    source = (REPOSITORY / "exporter" / "conf.py").read_text("utf-8")
    read = {f"SMOLQWERY_{name.upper()}" for name in re.findall(r'^        "(\w+)": _', source, re.MULTILINE)}
    listed = set(re.findall(r"^\| `(SMOLQWERY_[A-Z_]+)\*?` \|", README, re.MULTILINE))

    assert listed - {"SMOLQWERY_GOOGLE_"} == read - {"SMOLQWERY_SERVICE_ACCOUNT"}


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert [link for link in links if not (REPOSITORY / link).exists()] == []
