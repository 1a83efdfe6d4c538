"""Plans of Terraform, reviewed: what would lose data stops, whichever way the provider would do it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from codegen.review import main
from terraform.stand_in_provider.test_plans import CHANGES, DATASETS, REPLACE, after, resources, slug

if TYPE_CHECKING:
    from terraform.runner import MakeTerraform, Terraform

REPOSITORY = Path(__file__).resolve().parents[3]
# The provider takes these for updates in place.
STOPPED_UPDATES = {
    "a column is dropped": "1 column would be dropped with its values",
    "two columns are dropped": "2 columns would be dropped with their values",
    "days become months": "1 change would be refused by BigQuery",
    "the table expires": "1 expiration would delete rows",
}


@pytest.fixture(scope="module")
def planned(make_terraform: MakeTerraform) -> Terraform:
    """All changes of test_plans in one plan, in the file `plan`."""
    terraform = make_terraform()
    before, now = resources("before"), after()
    for moment in (before, now):
        for dataset in moment["resource"]["google_bigquery_dataset"].values():
            # The emulator has those of test_plans too.
            dataset["dataset_id"] = f"reviewed_{dataset['dataset_id']}"
    terraform.apply(before)
    terraform.plan(now)
    return terraform


@pytest.fixture(scope="module")
def plan_json(planned: Terraform) -> dict[str, Any]:
    return planned.show("plan")


@pytest.mark.parametrize("claim", [*CHANGES, *DATASETS, "the block is removed"])
def test_the_review_stops_what_the_plan_would_lose(
    claim: str, plan_json: dict[str, Any], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    changes = [one for one in plan_json["resource_changes"] if one["name"] == slug(claim)]
    (tmp_path / "plan.json").write_text(json.dumps({**plan_json, "resource_changes": changes, "resource_drift": []}))
    expected = "**Stop: 1 dataset would be replaced" if claim in DATASETS else "**Stop: 1 table would be replaced"
    if claim == "the block is removed":
        expected = "**Stop: 1 table would be deleted"
    elif claim in STOPPED_UPDATES:
        expected = f"**Stop: {STOPPED_UPDATES[claim]}."
    elif claim == "partitions expire":
        expected = "**Look twice: 1 expiration would delete rows."
    elif (CHANGES | DATASETS)[claim].planned != REPLACE:
        expected = "**No"

    exit_code = main([str(tmp_path / "plan.json")])

    stdout, stderr = capfdbinary.readouterr()
    assert stdout.decode().startswith(expected)
    assert (stderr, exit_code) == (b"", int(expected.startswith("**Stop")))


def test_a_plan_is_piped_from_terraform_into_the_review(planned: Terraform) -> None:
    shown = subprocess.run(
        ["terraform", "show", "-json", "plan"],
        cwd=planned.directory,
        env=planned.environ,
        capture_output=True,
        check=True,
    )

    ended = subprocess.run(
        [sys.executable, "-S", "-m", "codegen.review"],
        cwd=REPOSITORY,
        input=shown.stdout,
        capture_output=True,
        check=False,
    )

    report = ended.stdout.decode()
    replaced = [change for change in CHANGES.values() if change.planned == REPLACE]
    assert f"{len(replaced)} tables would be replaced and lose their rows" in report.partition("\n")[0]
    assert all(f"google_bigquery_table.{slug(claim)}`" in report for claim in STOPPED_UPDATES)
    assert "`c@x.org` (group) may read the dataset `reviewed_plans`" in report
    assert (ended.stderr, ended.returncode) == (b"", 1)
