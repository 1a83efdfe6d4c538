"""SMOLQWERY_* settings → one frozen object, or what is wrong with them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings

from exporter import SettingsError
from exporter.conf import Settings, load_settings, settings_problems

if TYPE_CHECKING:
    from pytest_django import Settings as DjangoSettings

SERVICE_ACCOUNT = {
    "type": "service_account",
    "project_id": "keyed-project",
    "private_key_id": "1",
    "private_key": "-----BEGIN PRIVATE KEY-----",
    "client_email": "exporter@keyed-project.iam.gserviceaccount.com",
    "client_id": "2",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    "client_x509_cert_url": "https://www.googleapis.com/robot/v1/metadata/x509/exporter",
}
COPY_THE_KEY = "Copy it from the service account's JSON key, or remove all SMOLQWERY_GOOGLE_* for ambient credentials."


@pytest.fixture(autouse=True)
def shop_settings(settings: DjangoSettings) -> None:
    """All that must be set, and the zone."""
    for name in [name for name in dir(django_settings) if name.startswith("SMOLQWERY_")]:
        delattr(settings, name)
    settings.TIME_ZONE = "Europe/Paris"
    settings.SMOLQWERY_EXTRACTORS = ["shop.extractors.UserExtractor"]
    settings.SMOLQWERY_FIRST_DATE = "2025-01-31"
    settings.SMOLQWERY_DATASET = "statistics"
    settings.SMOLQWERY_DATASET_LOCATION = "EU"


def give_service_account(settings: DjangoSettings, **changes: Any) -> None:
    for key, value in {**SERVICE_ACCOUNT, **changes}.items():
        setattr(settings, f"SMOLQWERY_GOOGLE_{key.upper()}", value)


def test_what_is_not_set_has_a_default() -> None:
    assert load_settings() == Settings(
        extractors=("shop.extractors.UserExtractor",),
        first_date=date(2025, 1, 31),
        dataset="statistics",
        dataset_location="EU",
        acl_groups=(),
        reader_groups=(),
        project=None,
        settle_delay=timedelta(0),
        terraform_dir=Path("terraform/warehouse"),
        service_account=None,
        zone=ZoneInfo("Europe/Paris"),
    )


def test_all_that_can_be_set(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = ("shop.extractors.UserExtractor", "shop.extractors.EmailExtractor")
    settings.SMOLQWERY_FIRST_DATE = date(2025, 2, 1)
    settings.SMOLQWERY_ACL_GROUPS = ["data@example.com"]
    settings.SMOLQWERY_READER_GROUPS = ("analysts@example.com", "bosses@example.com")
    settings.SMOLQWERY_PROJECT = "shop-project"
    settings.SMOLQWERY_SETTLE_DELAY = timedelta(hours=2)
    settings.SMOLQWERY_TERRAFORM_DIR = Path("/srv/terraform")
    settings.SMOLQWERY_DJANGO_APP = "accepted, and no longer needed"
    give_service_account(settings)

    assert load_settings() == Settings(
        extractors=("shop.extractors.UserExtractor", "shop.extractors.EmailExtractor"),
        first_date=date(2025, 2, 1),
        dataset="statistics",
        dataset_location="EU",
        acl_groups=("data@example.com",),
        reader_groups=("analysts@example.com", "bosses@example.com"),
        project="shop-project",
        settle_delay=timedelta(hours=2),
        terraform_dir=Path("/srv/terraform"),
        service_account=SERVICE_ACCOUNT,
        zone=ZoneInfo("Europe/Paris"),
    )


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        load_settings().dataset = "other"  # type: ignore[misc]


def test_ledger_has_a_dataset_of_its_own() -> None:
    assert load_settings().exporter_dataset == "statistics_exporter"


def test_project_is_the_service_accounts_where_none_is_set(settings: DjangoSettings) -> None:
    give_service_account(settings)

    assert load_settings().project == "keyed-project"


def test_project_that_is_set_wins_over_the_environment(
    settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "somebody-elses")
    settings.SMOLQWERY_PROJECT = "shop-project"

    assert load_settings().project == "shop-project"


def test_no_service_account_is_needed() -> None:
    assert load_settings().service_account is None


def test_empty_google_settings_are_none(settings: DjangoSettings) -> None:
    give_service_account(settings, **dict.fromkeys(SERVICE_ACCOUNT, ""))

    assert load_settings().service_account is None


def test_service_account_without_what_only_people_read(settings: DjangoSettings) -> None:
    give_service_account(settings, type=None, private_key_id="", client_id=None, auth_uri="")

    assert load_settings().service_account == {
        key: SERVICE_ACCOUNT[key]
        for key in (
            "type",
            "project_id",
            "private_key",
            "client_email",
            "token_uri",
            "auth_provider_x509_cert_url",
            "client_x509_cert_url",
        )
    }


LIST_OF_PATHS = "Set it to a list of dotted paths such as ['shop.extractors.UserExtractor']."
DATE = "Set it to a datetime.date or an ISO date such as '2025-01-01'."
DATASET = "Set it to the name of the BigQuery dataset, such as 'statistics'."
LOCATION = "Set it to a string such as 'EU'."
GROUPS = "Set it to a list of e-mail addresses such as ['analysts@example.com']."
STRING = "Set it to a string, or leave it out."
DELAY = "Set it to a datetime.timedelta of 0 to 366 days, such as timedelta(hours=1)."
DIRECTORY = "Set it to a directory such as BASE_DIR / 'terraform' / 'warehouse'."


@pytest.mark.parametrize(
    ("name", "value", "problem", "remedy"),
    [
        ("EXTRACTORS", None, "is not set.", LIST_OF_PATHS),
        ("EXTRACTORS", "shop.extractors.X", "is 'shop.extractors.X'.", LIST_OF_PATHS),
        ("EXTRACTORS", {"a.b"}, "is {'a.b'}.", LIST_OF_PATHS),
        ("FIRST_DATE", None, "is not set.", DATE),
        ("FIRST_DATE", "31/01/2025", "is '31/01/2025'.", DATE),
        ("FIRST_DATE", "2025-02-30", "is '2025-02-30'.", DATE),
        ("FIRST_DATE", "2025-01-31T00:00", "is '2025-01-31T00:00'.", DATE),
        ("FIRST_DATE", "", "is ''.", DATE),
        ("FIRST_DATE", 2025, "is 2025.", DATE),
        (
            "FIRST_DATE",
            datetime(2025, 1, 31, tzinfo=UTC),
            "is datetime.datetime(2025, 1, 31, 0, 0, tzinfo=datetime.timezone.utc).",
            DATE,
        ),
        ("DATASET", None, "is not set.", DATASET),
        ("DATASET", 5, "is 5.", DATASET),
        (
            "DATASET",
            "shop-statistics",
            "'shop-statistics' is not a dataset name. BigQuery takes ASCII letters, digits and _, at most 1,000 here.",
            "Set it to a name such as 'statistics'.",
        ),
        ("DATASET_LOCATION", None, "is not set.", LOCATION),
        ("DATASET_LOCATION", " ", "is ' '.", LOCATION),
        ("DATASET_LOCATION", ["EU"], "is ['EU'].", LOCATION),
        ("ACL_GROUPS", "data@example.com", "is 'data@example.com'.", GROUPS),
        ("ACL_GROUPS", [""], "is [''].", GROUPS),
        ("READER_GROUPS", [None], "is [None].", GROUPS),
        ("READER_GROUPS", {"a@example.com": 1}, "is {'a@example.com': 1}.", GROUPS),
        ("PROJECT", "", "is ''.", STRING),
        ("PROJECT", 123, "is 123.", STRING),
        ("SETTLE_DELAY", 3600, "is 3600.", DELAY),
        ("SETTLE_DELAY", timedelta(seconds=-1), "is datetime.timedelta(days=-1, seconds=86399).", DELAY),
        ("TERRAFORM_DIR", "", "is ''.", DIRECTORY),
        ("TERRAFORM_DIR", 1, "is 1.", DIRECTORY),
    ],
)
def test_setting_that_is_missing_or_wrong(
    settings: DjangoSettings, name: str, value: object, problem: str, remedy: str
) -> None:
    setattr(settings, f"SMOLQWERY_{name}", value)

    with pytest.raises(SettingsError) as refusal:
        load_settings()

    assert str(refusal.value) == f"SMOLQWERY_{name}: {problem}\n  {remedy}"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("project_id", None, "is not set."),
        ("private_key", "", "is not set."),
        ("client_email", None, "is not set."),
        ("token_uri", None, "is not set."),
        ("client_id", 2, "is int, not str."),
        ("private_key", b"-----BEGIN PRIVATE KEY-----", "is bytes, not str."),  # and is not shown
    ],
)
def test_half_a_service_account(settings: DjangoSettings, key: str, value: object, problem: str) -> None:
    give_service_account(settings, **{key: value})

    with pytest.raises(SettingsError) as refusal:
        load_settings()

    assert str(refusal.value) == f"SMOLQWERY_GOOGLE_{key.upper()}: {problem}\n  {COPY_THE_KEY}"


def test_all_problems_are_found_at_once(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_FIRST_DATE = "garbage"
    del settings.SMOLQWERY_DATASET
    settings.SMOLQWERY_SETTLE_DELAY = 5

    assert [str(problem) for problem in settings_problems()] == [
        f"SMOLQWERY_FIRST_DATE: is 'garbage'.\n  {DATE}",
        f"SMOLQWERY_DATASET: is not set.\n  {DATASET}",
        f"SMOLQWERY_SETTLE_DELAY: is 5.\n  {DELAY}",
    ]
