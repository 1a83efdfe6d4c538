"""One grant in a list of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from terraform.stand_in_provider.access import member_with, with_grant, without_grant
from terraform.stand_in_provider.errors import LegacyRoleError, MemberUnknownError

if TYPE_CHECKING:
    from terraform.stand_in_provider.access import Entry

VIEW: Entry = {"view": {"projectId": "p", "datasetId": "d", "tableId": "v"}}
CONDITIONAL: Entry = {"role": "READER", "groupByEmail": "a@x.org", "condition": {"expression": "true"}}
OWNERS: Entry = {"role": "OWNER", "specialGroup": "projectOwners"}
OTHERS: list[Entry] = [VIEW, OWNERS, CONDITIONAL, {"role": "READER", "groupByEmail": "b@x.org"}]
READER = "roles/bigquery.dataViewer"


@pytest.mark.parametrize(
    ("member", "entry"),
    [
        ("group:a@x.org", {"groupByEmail": "a@x.org"}),
        ("user:a@x.org", {"userByEmail": "a@x.org"}),
        ("serviceAccount:a@p.iam.gserviceaccount.com", {"userByEmail": "a@p.iam.gserviceaccount.com"}),
        ("domain:x.org", {"domain": "x.org"}),
        ("iamMember:allUsers", {"iamMember": "allUsers"}),
        ("projectReaders", {"specialGroup": "projectReaders"}),
    ],
)
def test_a_grant_comes_and_goes_and_the_others_stay(member: str, entry: dict[str, str]) -> None:
    granted = with_grant(OTHERS, READER, member)

    assert granted == [*OTHERS, {"role": READER, **entry}]
    assert member_with(granted, READER, member) == member
    assert with_grant(granted, READER, member) == granted
    assert without_grant(granted, READER, member) == OTHERS


def test_bigquery_s_short_role_and_lower_case_are_the_same_grant() -> None:
    assert member_with(OTHERS, READER, "group:B@X.org") == "group:b@x.org"
    assert without_grant(OTHERS, READER, "group:B@X.org") == OTHERS[:-1]


def test_another_role_is_another_grant() -> None:
    assert member_with(OTHERS, "roles/bigquery.dataEditor", "group:b@x.org") is None


def test_a_legacy_role_is_refused() -> None:
    with pytest.raises(LegacyRoleError, match=READER):
        with_grant([], "READER", "group:a@x.org")


def test_an_unknown_kind_of_member_is_refused() -> None:
    with pytest.raises(MemberUnknownError, match=r"robot:a@x\.org"):
        with_grant([], READER, "robot:a@x.org")
