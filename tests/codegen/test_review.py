"""`python -m codegen.review`: what it takes for a plan, how it is asked, and how long its report can be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from codegen.plans.entry import entry_of
from codegen.plans.plan import read_plan
from codegen.plans.report import report
from conftest import Ended
from plan_json import Json, change, column, plan, table

REPOSITORY = Path(__file__).resolve().parents[2]
GITHUB_TAKES = 65_536
SHOW = "  Make it with `terraform plan -out=plan.bin` and `terraform show -json plan.bin`.\n"
NOTHING = "**Nothing changes.**\n"
DAY = column("day", "DATE", "REQUIRED")


def binary_plan() -> bytes:
    """A plan file is a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("tfplan", b"\x08\x03")
    return content.getvalue()


NO_PLANS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty."),
    "blanks": (b" \n", "is empty."),
    "an error message": (b"Error: Failed", "is not JSON: Expecting value: line 1 column 1 (char 0)."),
    "half a plan": (b'{"format_version": "1.2"', "is not JSON: Expecting ',' delimiter: line 1 column 25 (char 24)."),
    "another encoding": (b'{"format_version": "\xe9"}', "is not JSON: it is not text in UTF-8."),
    "the plan file": (binary_plan(), "is a plan file itself, which only Terraform reads."),
    "a list": (b"[]", "is JSON, but a list and no plan."),
    "a text": (b'"plan"', "is JSON, but a text and no plan."),
    "null": (b"null", "is JSON, but a single value and no plan."),
    "an empty object": (b"{}", "is JSON, but no plan of Terraform."),
    "an empty state": (b'{"format_version": "1.0"}', "is JSON, but no plan of Terraform."),
    "a state": (
        b'{"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": {}}}',
        "is the JSON of a Terraform state, not of a plan.",
    ),
    "a state file": (b'{"version": 4, "serial": 1, "resources": []}', "is a state file, not a plan."),
    "providers' schemas": (
        b'{"format_version": "1.0", "provider_schemas": {}}',
        "is the JSON of providers' schemas, not of a plan.",
    ),
    "a validation": (
        b'{"format_version": "1.0", "valid": true, "diagnostics": []}',
        "is the JSON of `terraform validate`, not of a plan.",
    ),
    "a log": (
        b'{"@level":"info","type":"version"}\n{"@level":"info","type":"change_summary"}\n',
        "is the log of `terraform plan -json`, not a plan.",
    ),
    "one line of a log": (
        b'{"@level":"info","type":"version"}\n',
        "is the log of `terraform plan -json`, not a plan.",
    ),
    "a bottomless list": (b"[" * 100_000, "is nested too deeply for a plan."),
    "changes that are no list": (
        plan(resource_changes={"a": 1}),
        "resource_changes is not a list, as it is in every plan of Terraform.",
    ),
    "a change that is no object": (
        plan(resource_changes=[7]),
        "resource_changes[0] is not an object, as it is in every plan of Terraform.",
    ),
    "a change without an address": (
        plan(resource_changes=[{"type": "a", "change": {"actions": ["no-op"]}}]),
        "resource_changes[0].address is not a text, as it is in every plan of Terraform.",
    ),
    "drift without actions": (
        plan(resource_drift=[{"address": "a.b", "type": "a", "change": {}}]),
        "resource_drift[0].change.actions is not a list of texts, as it is in every plan of Terraform.",
    ),
    "a condition without a list of problems": (
        plan(checks=[{"status": "fail", "instances": [{"problems": True}]}]),
        "checks[0].instances[0].problems is not a list, as it is in every plan of Terraform.",
    ),
    "an attribute where a resource should be": (
        plan(resource_changes=[{"address": "a.b", "type": "a", "change": {"actions": ["create"], "after": "x"}}]),
        "resource_changes[0].change.after is not an object, as it is in every plan of Terraform.",
    ),
}


@pytest.mark.parametrize("name", NO_PLANS)
def test_what_is_no_plan_is_refused_in_words(name: str) -> None:
    content, problem = NO_PLANS[name]

    assert review(content) == Ended("", f"standard input: {problem}\n{SHOW}", 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_plan_is_read_in_what_a_shell_makes_of_it(encoding: str) -> None:
    assert review(plan().decode().encode(encoding)) == Ended(NOTHING, "", 0)


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(plan())

    assert review(b"not asked", str(tmp_path / "plan.json")) == Ended(NOTHING, "", 0)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    remedy = "  Write it with `terraform show -json plan.bin > plan.json`.\n"

    missing = Ended("", f"nowhere.json: cannot be read: No such file or directory.\n{remedy}", 2)
    assert review(b"", "nowhere.json") == missing
    directory = Ended("", f"{tmp_path}: cannot be read: Is a directory.\n{remedy}", 2)
    assert review(b"", str(tmp_path)) == directory


def test_a_second_file_is_a_usage_error() -> None:
    usage = "usage: python -m codegen.review [-h] [--allow ADDRESS] [PLAN]\n"

    assert review(b"", "a.json", "b.json") == Ended(
        "", f"{usage}python -m codegen.review: error: unrecognized arguments: b.json\n", 2
    )


def test_a_reader_that_stops_early_is_no_error() -> None:
    content = plan(*(change(f"x.{number}", "create", after={}) for number in range(5_000)))
    with subprocess.Popen(
        command(), cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(content)
        process.stdin.close()

        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_a_later_minor_version_with_things_unheard_of_is_read() -> None:
    assert review(plan(format_version="1.99", something_new=[{"address": 7}])) == Ended(NOTHING, "", 0)


def test_a_plan_of_300_tables_is_told_in_full_where_it_fits() -> None:
    tables = [updated(number, DAY, column("country")) for number in range(300)]

    text = report_of(*tables)

    assert all(f"`shop.t{number:03}`** changes" in text for number in range(300))
    assert "left out" not in text


def test_a_plan_of_300_tables_is_shortened_before_github_refuses_it_and_dangers_stay() -> None:
    tables = [
        updated(number, DAY, *(column(f"c{n}", description="Long. " * 9) for n in range(20))) for number in range(300)
    ]
    tables[299] = change(address(299), "delete", before=table("t299", DAY))
    tables[298] = change(address(298), "update", before=table("t298", DAY, column("gone")), after=table("t298", DAY))

    text = report_of(*tables)

    verdict, _, note, *_ = text.splitlines()
    assert verdict == (
        "**Stop: 1 table would be deleted with its rows; 1 column would be dropped with its values.** "
        "299 more tables change."
    )
    assert note.startswith("This plan is too long for a comment: below, ")
    assert note.endswith("Nothing that stops it is among them. `terraform show plan.bin` shows the whole plan.")
    assert "- table `shop.t299`: would be deleted" in text
    assert "- table `shop.t298`: column `gone` is dropped" in text
    assert all(f"`shop.t{number:03}`" in text for number in range(300))
    assert_fits(text)


def test_300_dropped_tables_are_all_named() -> None:
    tables = [
        change(address(n), "delete", before=table(f"t{n:03}", DAY), action_reason="delete_because_no_module")
        for n in range(300)
    ]

    text = report_of(*tables)

    assert all(f"`{address(number)}`" in text for number in range(300))
    assert_fits(text)


def test_of_3000_dropped_columns_every_table_is_named_and_as_many_columns_as_there_is_room_for() -> None:
    columns = [column(f"some_column_of_the_table_{number}") for number in range(10)]
    tables = [
        change(address(n), "update", before=table(f"t{n:03}", DAY, *columns), after=table(f"t{n:03}", DAY))
        for n in range(300)
    ]

    text = report_of(*tables)

    assert text.startswith("**Stop: 3,000 columns would be dropped with their values.**")
    counted = [f"- `{address(number)}`: 10 findings\n" in text for number in range(300)]
    told = [f"drops `{columns[9]['name']}` (`{address(number)}`)\n" in text for number in range(300)]
    assert [one != other for one, other in zip(counted, told, strict=True)] == [True] * 300
    assert sum(told) > 60
    assert_fits(text)


def test_of_a_table_that_drops_thousands_of_columns_the_first_are_named() -> None:
    columns = [column(f"some_column_of_the_table_{number}") for number in range(3_000)]
    before, after = table("t001", DAY, *columns), table("t001", DAY)

    text = report_of(change(address(1), "update", before=before, after=after))

    assert text.startswith("**Stop: 3,000 columns would be dropped with their values.**")
    assert f"drops `{columns[199]['name']}`; 2,800 more (`{address(1)}`)\n" in text
    assert_fits(text)


def test_dangers_that_no_comment_can_hold_are_counted() -> None:
    names = [f'google_bigquery_table.t["{"😀" * 90}{n}"]' for n in range(2_000)]

    text = report_of(*(change(name, "delete", before=table("t", DAY)) for name in names))

    assert text.startswith("**Stop: 2,000 tables would be deleted with their rows.**")
    shown = text.count("😀`: 1 finding") + text.count("]`: 1 finding")
    assert f"- and {2_000 - shown:,} more, which no comment has room for." in text
    assert_fits(text)


def test_neither_django_nor_jinja_nor_the_exporter_is_loaded() -> None:
    program = (
        "import sys, codegen.review\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'django', 'exporter', 'jinja2', 'rich'}))\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    assert ended.stdout == "\n"


ODD: list[object] = [None, True, 7, 1.5, "x", [], {}, [None], [7], {"a": None}, [{"a": 7}], [[]]]
ODD_ATTRIBUTES = ["access", "clustering", "condition", "labels", "members", "permissions", "policy_data", "schema"]
ODD_ATTRIBUTES += ["template", "time_partitioning", "view"]
ODD_TYPES = ["google_bigquery_table", "google_bigquery_dataset", "google_bigquery_dataset_access"]
ODD_TYPES += ["google_bigquery_dataset_iam_binding", "google_project_iam_policy", "google_project_iam_custom_role"]
ODD_TYPES += ["google_cloud_run_v2_job", "terraform_data"]


@pytest.mark.parametrize("resource_type", ODD_TYPES)
def test_values_of_unexpected_types_are_no_error(resource_type: str) -> None:
    changes = [
        change(f"{resource_type}.x", "update", before={attribute: before}, after={attribute: after}, **marks)
        for attribute in ODD_ATTRIBUTES
        for before in ODD
        for after in ODD
        for marks in ({}, {"after_unknown": after, "before_sensitive": before}, {"after_unknown": {attribute: after}})
    ]

    assert f"`{resource_type}.x`" in report_of(*changes)


def command(*arguments: str) -> list[str]:
    # Without site-packages: the standard library is all there is.
    return [sys.executable, "-S", "-W", "error", "-m", "codegen.review", *arguments]


def review(content: bytes, *arguments: str) -> Ended:
    """In a process of its own, and in a locale that cannot write most of Unicode."""
    environ = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = subprocess.run(
        command(*arguments), cwd=REPOSITORY, env=environ, input=content, capture_output=True, timeout=60, check=False
    )
    return Ended(ended.stdout.decode(), ended.stderr.decode(), ended.returncode)


def report_of(*changes: Json) -> str:
    document = read_plan(plan(*changes), "plan.json")
    return report(document, [entry_of(one) for one in document.changes], [], [])


def address(number: int) -> str:
    return f"module.warehouse.google_bigquery_table.t{number:03}"


def updated(number: int, *columns: Json) -> Json:
    name = f"t{number:03}"
    return change(address(number), "update", before=table(name, DAY), after=table(name, *columns))


def assert_fits(text: str) -> None:
    """However GitHub counts: code points, UTF-16 as JavaScript does, or bytes."""
    assert len(text.encode()) < GITHUB_TAKES
    assert len(text.encode("utf-16-le")) // 2 < GITHUB_TAKES
