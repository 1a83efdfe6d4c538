"""What .github/workflows may do, and that what it runs is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[1]
WORKFLOWS = {path.name: path for path in sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))}
READ = {"contents": "read"}
AS_SOMEBODY = {"contents": "read", "id-token": "write"}
# All that any job may.
PERMISSIONS = {
    ("apply.yml", "apply"): AS_SOMEBODY,
    ("apply.yml", "plan"): AS_SOMEBODY,
    ("ci.yml", "test"): READ,
    ("plan.yml", "comment"): {"pull-requests": "write"},
    ("plan.yml", "plan"): AS_SOMEBODY,
}


def workflow(name: str) -> dict[str, Any]:
    content: dict[Any, Any] = yaml.safe_load(WORKFLOWS[name].read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}  # in YAML 1.1, `on` is true


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in WORKFLOWS:
        for job, content in workflow(name)["jobs"].items():
            yield name, job, content


def steps() -> list[dict[str, Any]]:
    return [step for _, _, job in jobs() for step in job["steps"]]


def scripts() -> list[str]:
    return [step["run"] for step in steps() if "run" in step]


def test_every_job_says_what_it_may_and_may_no_more() -> None:
    found = {(name, job): content.get("permissions", workflow(name)["permissions"]) for name, job, content in jobs()}

    assert found == PERMISSIONS
    assert all(workflow(name)["permissions"] in ({}, READ) for name in WORKFLOWS)


def test_every_action_is_pinned_by_its_commit_and_says_its_version() -> None:
    lines = [line.strip() for path in WORKFLOWS.values() for line in path.read_text("utf-8").splitlines()]
    uses = [line.removeprefix("- ") for line in lines if re.match(r"(- )?uses:", line)]

    assert len(uses) == sum("uses" in step for step in steps())
    assert all(re.fullmatch(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in uses), uses
    actions = {line.partition("@")[0] for line in uses}
    assert len(set(uses)) == len(actions), uses  # one version of each


def test_no_fork_gets_credentials() -> None:
    events = {name: set(workflow(name)["on"]) for name in WORKFLOWS}

    assert events == {"apply.yml": {"push"}, "ci.yml": {"pull_request", "push"}, "plan.yml": {"pull_request"}}
    for name, _, job in jobs():
        if "id-token" in job.get("permissions", {}) and "pull_request" in events[name]:
            assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert workflow("apply.yml")["on"]["push"] == {"branches": ["main"]}


def test_the_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    comment = workflow("plan.yml")["jobs"]["comment"]

    assert not any("uses" in step for step in comment["steps"])
    assert not any("make" in step["run"].split() for step in comment["steps"])


def test_what_somebody_wrote_is_no_part_of_a_script() -> None:
    assert [script for script in scripts() if "${{" in script] == []


def test_no_token_is_left_in_a_checkout_and_no_job_runs_for_ever() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert len(checkouts) == 4
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
    assert all(0 < job["timeout-minutes"] <= 60 for _, _, job in jobs())


def test_an_apply_is_approved_and_never_stopped_half_way() -> None:
    apply = workflow("apply.yml")

    assert apply["concurrency"] == {"group": "apply", "cancel-in-progress": False}
    approved = {name for name, job in apply["jobs"].items() if job.get("environment") == "production"}
    changing = {name for _, name, job in jobs() if any("make apply" in step.get("run", "") for step in job["steps"])}
    acting = {
        name
        for _, name, job in jobs()
        if any("APPLY_SERVICE_ACCOUNT" in str(step.get("with")) for step in job["steps"])
    }
    assert approved == changing == acting == {"apply"}
    assert apply["jobs"]["apply"]["needs"] == "plan"


def test_no_key_of_an_account_is_used() -> None:
    auth = [step["with"] for step in steps() if step.get("uses", "").startswith("google-github-actions/auth@")]

    assert [set(options) for options in auth] == [{"workload_identity_provider", "service_account"}] * 3
    assert not any("secrets." in path.read_text("utf-8") for path in WORKFLOWS.values())


def test_what_the_workflows_run_is_there() -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    made = {target for script in scripts() for target in re.findall(r"^make (\S+)", script, re.MULTILINE)}

    assert made == {"apply", "plan"}
    assert made <= targets
    assert ".ci/run" in scripts()
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("script", [pytest.param(script, id=script[:30]) for script in scripts()])
def test_every_script_is_one_of_bash(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


# As `gh api`: comments are in a file, one JSON object a line.
GH = """#!/usr/bin/env python3
import json, pathlib, sys
store = pathlib.Path(__file__).with_name("comments.jsonl")
comments = [json.loads(line) for line in store.read_text().splitlines()]
arguments = sys.argv[1:]
path = next(argument for argument in arguments if argument.startswith("repos/")).partition("?")[0]
if "--method" not in arguments:
    assert path == "repos/shop/shop/issues/7/comments", path
    marker = arguments[arguments.index("--jq") + 1].split('startswith("')[1].split('"))')[0]
    for one in comments:
        if one["login"] == "github-actions[bot]" and one["body"].startswith(marker):
            print(one["id"])
    sys.exit()
body = pathlib.Path(arguments[arguments.index("--field") + 1].removeprefix("body=@")).read_text()
if arguments[arguments.index("--method") + 1] == "POST":
    assert path == "repos/shop/shop/issues/7/comments", path
    comments.append({"id": len(comments) + 1, "login": "github-actions[bot]", "body": body})
else:
    (one,) = [one for one in comments if path == f"repos/shop/shop/issues/comments/{one['id']}"]
    one["body"] = body
store.write_text("".join(json.dumps(one) + "\\n" for one in comments))
"""


@pytest.fixture
def comments(tmp_path: Path) -> Path:
    """A `gh` first in tmp_path, and what has been commented so far: by a person, and by another workflow."""
    (tmp_path / "gh").write_text(GH, "utf-8")
    (tmp_path / "gh").chmod(0o755)
    path = tmp_path / "comments.jsonl"
    before = [("a-person", "<!-- terraform plan -->\nlooks like ours"), ("github-actions[bot]", "Coverage: 100 %")]
    lines = [json.dumps({"id": id_, "login": login, "body": body}) for id_, (login, body) in enumerate(before, 1)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def comment(directory: Path, review: str) -> None:
    (step,) = workflow("plan.yml")["jobs"]["comment"]["steps"]
    environ = {
        "COMMENTS": "repos/shop/shop/issues/7/comments",
        "COMMIT": "0123456789abcdef",
        "EDITED": "repos/shop/shop/issues/comments",
        "PATH": f"{directory}:{os.environ['PATH']}",
        "REVIEW": review,
        "RUN": "https://example.com/runs/1",
    }
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_comment_on_a_pull_request_is_edited_and_not_repeated(comments: Path) -> None:
    for review in ("**No table loses data.**", '`$(touch made)` "quoted" %s\n\n| a |', ""):
        comment(comments.parent, review)

        bodies = [json.loads(line)["body"] for line in comments.read_text("utf-8").splitlines()]
        assert bodies[:2] == ["<!-- terraform plan -->\nlooks like ours", "Coverage: 100 %"]
        (ours,) = bodies[2:]
        shown = review or "**There is no review of this plan.** The [log](https://example.com/runs/1) says why:"
        assert ours.startswith(f"<!-- terraform plan -->\n{shown}")
        assert ours.endswith("\n\nFor commit 0123456789abcdef.\n")
    assert not (comments.parent / "made").exists()
