from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import RunCommand

FILES = [
    "access.tf",
    "dataset.tf",
    "exporter.tf",
    "groups.tf",
    "manifest.json",
    "outputs.tf",
    "schemas/email.json",
    "schemas/exporter_ledger.json",
    "schemas/user.json",
    "table_email.tf",
    "table_user.tf",
    "variables.tf",
    "versions.tf",
]


@pytest.fixture
def warehouse(
    use_case: Callable[[str], None],
    run_codegen: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """The quickstart's, generated where a project has it; the project's root is the current directory."""
    use_case("quickstart")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    Path("terraform").mkdir()
    assert run_codegen().stderr == ""
    return Path("terraform/warehouse")


def test_every_file_is_named(warehouse: Path, run_codegen: RunCommand) -> None:
    shutil.rmtree(warehouse)

    first, second = run_codegen(), run_codegen()

    assert first == (_lines("written  ", warehouse, FILES), "", 0)
    assert second == (f"unchanged  {len(FILES)} files in {warehouse}\n", "", 0)


def test_files_that_are_as_rendered_are_not_touched(warehouse: Path, run_codegen: RunCommand) -> None:
    before = {path: path.stat() for path in warehouse.rglob("*")}

    run_codegen()

    assert {path: path.stat() for path in warehouse.rglob("*")} == before


def test_check_of_an_up_to_date_warehouse_is_silent(warehouse: Path, run_codegen: RunCommand) -> None:
    result = run_codegen("--check")

    assert warehouse.is_dir()
    assert result == ("", "", 0)


def test_check_names_missing_changed_and_orphaned_files_and_writes_nothing(
    warehouse: Path, run_codegen: RunCommand
) -> None:
    (warehouse / "access.tf").unlink()
    (warehouse / "table_gone.tf").write_bytes((warehouse / "table_email.tf").read_bytes())
    _replace(warehouse / "schemas/user.json", "Orders ever placed.", "Orders.")
    _replace(warehouse / "manifest.json", '"schemas/user.json"', '"schemas/user.json", "schemas/gone.json"')
    (warehouse / "schemas/gone.json").write_text("[]")
    before = _contents(warehouse)

    result = run_codegen("--check")

    assert result.stdout == (
        "table user, column order has another description.\n"
        "missing    terraform/warehouse/access.tf\n"
        "changed    terraform/warehouse/manifest.json\n"
        "    @@ -34,3 +34,3 @@\n"
        '         "schemas/exporter_ledger.json",\n'
        '    -    "schemas/user.json", "schemas/gone.json"\n'
        '    +    "schemas/user.json"\n'
        "       ]\n"
        "orphaned   terraform/warehouse/schemas/gone.json\n"
        "changed    terraform/warehouse/schemas/user.json\n"
        "    @@ -17,3 +17,3 @@\n"
        '         "mode": "NULLABLE",\n'
        '    -    "description": "Orders."\n'
        '    +    "description": "Orders ever placed."\n'
        "       },\n"
        "orphaned   terraform/warehouse/table_gone.tf\n"
    )
    assert result.stderr == (
        "Generated files are out of date. "
        "Run `DJANGO_SETTINGS_MODULE=shop.settings python -m codegen` and commit what it changes.\n"
    )
    assert result.exit_code == 1
    assert _contents(warehouse) == before


def test_check_of_no_directory_names_every_file_as_missing(warehouse: Path, run_codegen: RunCommand) -> None:
    result = run_codegen("--check", "--output", "terraform/another one")

    assert result.stdout == _lines("missing  ", warehouse.with_name("another one"), FILES)
    assert "python -m codegen --output 'terraform/another one'`" in result.stderr
    assert result.exit_code == 1
    assert not Path("terraform/another one").exists()


def test_a_long_difference_is_cut(warehouse: Path, run_codegen: RunCommand) -> None:
    (warehouse / "table_user.tf").write_text((warehouse / "table_user.tf").read_text().splitlines()[0] + "\n")

    lines = run_codegen("--check").stdout.splitlines()

    assert lines[0] == "changed    terraform/warehouse/table_user.tf"
    assert len(lines) == 14
    assert lines[-1] == "    … 22 more lines"


def test_a_run_repairs_what_drifted_and_removes_orphans(warehouse: Path, run_codegen: RunCommand) -> None:
    before = _contents(warehouse)
    (warehouse / "access.tf").unlink()
    (warehouse / "table_gone.tf").write_bytes((warehouse / "table_email.tf").read_bytes())
    _replace(warehouse / "table_user.tf", "prevent_destroy = true", "prevent_destroy = false")

    result = run_codegen()

    changed = [line for line in result.stdout.splitlines() if not line.startswith("unchanged")]
    assert changed == [
        "written    terraform/warehouse/access.tf",
        "removed    terraform/warehouse/table_gone.tf",
        "written    terraform/warehouse/table_user.tf",
    ]
    assert _contents(warehouse) == before


def test_a_retired_table_takes_its_files_along_and_leaves_its_schema_until_it_is_forgotten(
    warehouse: Path, run_codegen: RunCommand, settings: Any
) -> None:
    settings.SMOLQWERY_EXTRACTORS = ["extractors.UserExtractor"]

    retired = run_codegen("--retire", "email")

    assert "removed    terraform/warehouse/table_email.tf\n" in retired.stdout
    assert sorted(_contents(warehouse)) == sorted({*FILES, "retired.tf"} - {"table_email.tf"})
    assert run_codegen("--check") == ("", "", 0)

    forgotten = run_codegen("--forget", "email")

    assert "removed    terraform/warehouse/schemas/email.json\n" in forgotten.stdout
    assert sorted(_contents(warehouse)) == [file for file in FILES if "email" not in file]
    assert run_codegen("--check") == ("", "", 0)


def test_a_check_that_finds_drift_says_the_options_that_it_was_given(
    warehouse: Path, run_codegen: RunCommand, settings: Any
) -> None:
    settings.SMOLQWERY_EXTRACTORS = ["extractors.UserExtractor"]
    before = _contents(warehouse)

    result = run_codegen("--check", "--retire", "email")

    assert result.stderr == (
        "Generated files are out of date. "
        "Run `DJANGO_SETTINGS_MODULE=shop.settings python -m codegen --retire email` and commit what it changes.\n"
    )
    assert result.exit_code == 1
    assert _contents(warehouse) == before


def test_the_way_out_names_the_directory(warehouse: Path, run_codegen: RunCommand, settings: Any) -> None:
    assert run_codegen("--output", "terraform/of a shop").exit_code == 0
    settings.SMOLQWERY_EXTRACTORS = ["extractors.UserExtractor"]

    result = run_codegen("--output", "terraform/of a shop")

    assert "python -m codegen --output 'terraform/of a shop' --retire email`" in result.stderr
    assert (warehouse.with_name("of a shop") / "table_email.tf").exists()


def test_a_manifest_of_another_branch_takes_no_table_away(
    warehouse: Path, run_codegen: RunCommand, settings: Any
) -> None:
    both = _contents(warehouse)
    settings.SMOLQWERY_EXTRACTORS = ["extractors.UserExtractor"]
    shutil.rmtree(warehouse)
    assert run_codegen().exit_code == 0
    for name in ("table_email.tf", "schemas/email.json"):
        (warehouse / name).write_bytes(both[name])
    before = _contents(warehouse)

    result = run_codegen()

    assert result.stderr == (
        "terraform/warehouse/table_email.tf: has google_bigquery_table.email, which manifest.json does not know "
        "and no extractor makes.\n"
        "  Restore the terraform/warehouse/manifest.json that belongs to this file from version control; or delete the "
        "block, if it was never applied. Then run codegen again. Nothing was written.\n"
    )
    assert (result.stdout, result.exit_code) == ("", 2)
    assert _contents(warehouse) == before


def test_an_interrupted_first_run_can_be_run_again(
    warehouse: Path, run_codegen: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = _contents(warehouse)
    shutil.rmtree(warehouse)
    replace = Path.replace

    def replace_until_killed(path: Path, target: Path) -> Path:
        if target.name == "table_user.tf":
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace_until_killed)
        with pytest.raises(KeyboardInterrupt):
            run_codegen()
    assert sorted(_contents(warehouse)) == sorted(
        set(everything) - {"manifest.json", "table_user.tf", "variables.tf", "versions.tf"}
    )

    result = run_codegen()

    assert (result.stderr, result.exit_code) == ("", 0)
    assert _contents(warehouse) == everything


def test_what_a_killed_run_left_staged_is_tidied_up(warehouse: Path, run_codegen: RunCommand) -> None:
    everything = _contents(warehouse)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        for name in (".table_user.tf", "schemas/.user.json"):
            (warehouse / f"{name}.{pid}").write_text("half")
    of_others = [warehouse / f".table_user.tf.{os.getppid()}", warehouse / ".table_user.tf.swp"]
    for path in of_others:
        path.write_text("not ours")

    assert run_codegen("--check") == ("", "", 0)
    assert run_codegen().exit_code == 0

    for path in of_others:
        path.unlink()
    assert _contents(warehouse) == everything


def test_files_of_the_team_beside_ours_are_left_alone(warehouse: Path, run_codegen: RunCommand) -> None:
    own = {"labels.tf": "locals {}\n", "notes.json": "{}", "schemas/own.json": "[]", "README.md": "# Ours\n"}
    for name, text in own.items():
        (warehouse / name).write_text(text)

    check, run = run_codegen("--check"), run_codegen()

    assert check == ("", "", 0)
    assert run.exit_code == 0
    assert {name: (warehouse / name).read_text() for name in own} == own


def test_a_path_in_the_manifest_leads_nowhere_else(warehouse: Path, run_codegen: RunCommand) -> None:
    Path("terraform/precious.json").write_text("{}")
    (warehouse / "notes.txt").write_text("notes")
    _replace(
        warehouse / "manifest.json", '"schemas/user.json"', '"schemas/user.json", "../precious.json", "notes.txt", 7'
    )

    result = run_codegen()

    assert result.exit_code == 0
    assert Path("terraform/precious.json").exists()
    assert (warehouse / "notes.txt").exists()


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_files_that_codegen_did_not_make_are_named_and_nothing_is_written(
    warehouse: Path, run_codegen: RunCommand, arguments: tuple[str, ...]
) -> None:
    shutil.rmtree(warehouse)
    (warehouse / "schemas").mkdir(parents=True)
    own = {"versions.tf": "terraform {}\n", "schemas/user.json": "[]\n", "manifest.json": '{"name": "A web app"}\n'}
    for name, text in own.items():
        (warehouse / name).write_text(text)

    result = run_codegen(*arguments)

    remedy = "  Move or delete it, or choose another directory; then run codegen again. Nothing was written.\n"
    assert result.stderr == "".join(
        f"terraform/warehouse/{name}: codegen would write this file and did not make the one that is there.\n{remedy}"
        for name in sorted(own)
    )
    assert (result.stdout, result.exit_code) == ("", 1)
    assert _contents(warehouse) == {name: text.encode() for name, text in own.items()}


def test_a_generated_file_without_its_header_is_not_ours_any_more(warehouse: Path, run_codegen: RunCommand) -> None:
    _replace(warehouse / "table_user.tf", "# Code generated by", "# Written over")

    result = run_codegen()

    assert result.stderr.startswith("terraform/warehouse/table_user.tf: codegen would write this file")
    assert result.exit_code == 1


def test_a_lost_manifest_comes_back(warehouse: Path, run_codegen: RunCommand) -> None:
    before = _contents(warehouse)
    (warehouse / "manifest.json").unlink()

    result = run_codegen()

    assert result.exit_code == 0
    assert _contents(warehouse) == before


def test_a_manifest_with_conflict_markers_is_refused_in_words(warehouse: Path, run_codegen: RunCommand) -> None:
    _replace(warehouse / "manifest.json", '  "dataset"', '<<<<<<< HEAD\n  "dataset"')

    result = run_codegen()

    assert result.stderr == (
        "terraform/warehouse/manifest.json: is not JSON any more: "
        "Expecting property name enclosed in double quotes: line 3 column 1 (char 83).\n"
        "  Restore it from version control, or settle its conflicts; then run codegen again.\n"
    )
    assert (result.stdout, result.exit_code) == ("", 2)


def test_a_directory_is_made_where_its_parent_is(warehouse: Path, run_codegen: RunCommand) -> None:
    assert run_codegen("--output", "terraform/staging").exit_code == 0
    assert _contents(Path("terraform/staging")) == _contents(warehouse)


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(("output", "needed"), [("typo/warehouse", "typo"), ("file", "file"), ("file/sub", "file")])
def test_where_there_is_no_directory_is_said(run_codegen: RunCommand, tmp_path: Path, output: str, needed: str) -> None:
    Path("file").touch()

    result = run_codegen("--output", output)

    assert result.stderr == (
        f"{output}: {tmp_path / needed} is not a directory.\n"
        "  Make it one, or name another directory with --output or SMOLQWERY_TERRAFORM_DIR.\n"
    )
    assert (result.stdout, result.exit_code) == ("", 2)


def test_a_directory_where_a_file_should_be_is_said(warehouse: Path, run_codegen: RunCommand) -> None:
    (warehouse / "versions.tf").unlink()
    (warehouse / "versions.tf").mkdir()

    result = run_codegen()

    assert result.stderr == (
        "terraform/warehouse/versions.tf: Is a directory.\n"
        "  Make it readable and writable, or name another directory with --output or SMOLQWERY_TERRAFORM_DIR.\n"
    )
    assert (result.stdout, result.exit_code) == ("", 2)


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("mode", [0o555, 0o444, 0o000])
def test_a_directory_without_permission_is_said(
    run_codegen: RunCommand, tmp_path_factory: pytest.TempPathFactory, mode: int
) -> None:
    directory = tmp_path_factory.mktemp("closed")
    directory.chmod(mode)
    with _unprivileged(directory):
        result = run_codegen("--output", str(directory))
    directory.chmod(0o700)

    assert "Permission denied.\n  Make it readable and writable, or name another directory" in result.stderr
    assert (result.stdout, result.exit_code) == ("", 2)
    assert _contents(directory) == {}


def test_a_full_disk_leaves_everything_as_it_was(
    warehouse: Path, run_codegen: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("access.tf", "dataset.tf", "table_user.tf"):
        (warehouse / name).unlink()
    before = _contents(warehouse)
    write_bytes = Path.write_bytes

    def write_until_full(path: Path, content: bytes) -> int:
        if "table_user" in path.name:
            write_bytes(path, content[:10])
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_until_full)
    result = run_codegen()

    assert result.stderr.startswith("terraform/warehouse: No space left on device.\n")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert _contents(warehouse) == before


@pytest.mark.usefixtures("warehouse")
def test_without_jinja_the_extra_is_named(run_codegen: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "codegen.render")

    result = run_codegen()

    assert result.stderr.endswith("\n  Run `pip install 'smolqwery-terraform[codegen]'`.\n")
    assert (result.stdout, result.exit_code) == ("", 2)


def _lines(what: str, directory: Path, names: list[str]) -> str:
    return "".join(f"{what}  {directory / name}\n" for name in names)


def _contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def _replace(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


@contextmanager
def _unprivileged(directory: Path) -> Iterator[None]:
    """As somebody whom permissions bind, which they do not bind root."""
    if os.geteuid() != 0:
        yield
        return
    outer = [parent for parent in directory.parents if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o5 != 0o5]
    modes = {parent: parent.stat().st_mode for parent in outer}
    for parent, mode in modes.items():
        parent.chmod(mode | 0o5)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in modes.items():
            parent.chmod(mode)
