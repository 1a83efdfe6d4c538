"""The groups themselves: made by Terraform only where somebody asks for it, and never taken away by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from terraform.roots import copy_of_root, planned_changes, run_terraform

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "google_cloud_identity_group"
BOTH = ("-var=create_groups=true", "-var=customer_id=C01abcde2")
LISTS = (
    '-var=acl_groups=["Data-Team@example.com"]',
    '-var=reader_groups=["data-team@example.com","board@example.com"]',
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_of_root(tmp_path_factory.mktemp("groups") / "terraform")
    code, output = run_terraform(root, "init", "-input=false")
    assert code == 0, output
    return root


def planned(root: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """What is new, by address in the warehouse."""
    changes = planned_changes(root, "-var=dataset_id=grouped", *arguments)
    return {one["address"].removeprefix("module.warehouse."): one["change"]["after"] for one in changes}


def test_nobody_s_group_is_made_unless_asked_for(root: Path) -> None:
    made = planned(root, *LISTS)

    assert {address.partition("[")[0] for address in made if "iam_member" in address} == {
        "google_bigquery_dataset_iam_member.acl_groups",
        "google_bigquery_dataset_iam_member.reader_groups",
    }
    assert not any(GROUP in address for address in made)


def test_each_group_is_made_once_and_nobody_is_put_into_it(root: Path) -> None:
    made = {address: after for address, after in planned(root, *LISTS, *BOTH).items() if "cloud_identity" in address}

    assert set(made) == {f'{GROUP}.groups["{name}@example.com"]' for name in ("board", "data-team")}
    board = made[f'{GROUP}.groups["board@example.com"]']
    assert {name: board[name] for name in ("group_key", "initial_group_config", "labels", "parent")} == {
        "group_key": [{"id": "board@example.com", "namespace": None}],
        "initial_group_config": "WITH_INITIAL_OWNER",
        "labels": {"cloudidentity.googleapis.com/groups.discussion_forum": ""},
        "parent": "customers/C01abcde2",
    }
    assert board["deletion_policy"] == "ABANDON"


def test_no_groups_are_no_groups_to_make(root: Path) -> None:
    made = planned(root, "-var=acl_groups=[]", "-var=reader_groups=[]", *BOTH)

    assert not any("group" in address for address in made)


def test_a_grant_waits_for_its_group(root: Path) -> None:
    access = (root / "warehouse" / "access.tf").read_text("utf-8")

    assert access.count("depends_on = [google_cloud_identity_group.groups]") == 2


@pytest.mark.parametrize("customer", [None, "", "customers/C01abcde2"])
def test_the_customer_is_asked_for_where_groups_are_made(root: Path, customer: str | None) -> None:
    given = () if customer is None else (f"-var=customer_id={customer}",)

    code, output = run_terraform(root, "plan", "-input=false", "-var=create_groups=true", *given)

    assert code == 1
    assert (
        "customer_id must be a customer id such as C01abcde2, without customers/, where create_groups is true."
        in output
    )


def test_the_customer_alone_makes_nothing(root: Path) -> None:
    assert not any(GROUP in address for address in planned(root, "-var=customer_id=C01abcde2"))
