"""System checks: one test for each id, and what they let pass."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning, run_checks  # noqa: A004 - Django's name for it
from django.utils import timezone

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_django import Settings as DjangoSettings


@dataclass
class User:
    users: int = sq_field(differentiate=True)


@dataclass
class Tags:
    tags: set[str]


class UserExtractor(BaseExtractor[User]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[User]:
        raise NotImplementedError


class DeltaExtractor(UserExtractor):
    def get_table_name(self) -> str:
        return "User_Delta"


class TagsExtractor(UserExtractor):
    def get_dataclass(self) -> type:
        return Tags


class ReplicaExtractor(UserExtractor):
    def get_table_name(self) -> str:
        return "replicated"

    def get_database(self) -> str:
        return "replica"


class RaisingExtractor(UserExtractor):
    def get_date_field(self) -> str:
        raise KeyError("no such key")


@pytest.fixture(autouse=True)
def sound_settings(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.UserExtractor"]


def checked() -> list[CheckMessage]:
    """As `manage.py check --tag smolqwery`."""
    return run_checks(tags=["smolqwery"])


def test_sound_settings_pass() -> None:
    assert checked() == []


def test_e001_a_setting_is_missing_or_wrong(settings: DjangoSettings) -> None:
    del settings.SMOLQWERY_DATASET
    settings.SMOLQWERY_FIRST_DATE = "garbage"

    assert checked() == [
        Error(
            "SMOLQWERY_FIRST_DATE: is 'garbage'.",
            hint="Set it to a datetime.date or an ISO date such as '2025-01-01'.",
            id="smolqwery.E001",
        ),
        Error(
            "SMOLQWERY_DATASET: is not set.",
            hint="Set it to the name of the BigQuery dataset, such as 'statistics'.",
            id="smolqwery.E001",
        ),
    ]


def test_e001_extractors_that_are_no_list(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = f"{__name__}.UserExtractor"

    assert checked() == [
        Error(
            f"SMOLQWERY_EXTRACTORS: is '{__name__}.UserExtractor'.",
            hint="Set it to a list of dotted paths such as ['shop.extractors.UserExtractor'].",
            id="smolqwery.E001",
        )
    ]


@pytest.fixture
def late_evening(monkeypatch: pytest.MonkeyPatch, settings: DjangoSettings) -> None:
    """It is 2025-01-15 still in New York, and 2025-01-16 in UTC."""
    settings.TIME_ZONE = "America/New_York"
    monkeypatch.setattr(timezone, "now", lambda: datetime(2025, 1, 16, 3, 0, tzinfo=UTC))


@pytest.mark.usefixtures("late_evening")
def test_e002_the_first_date_is_in_the_future(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_FIRST_DATE = "2025-01-16"

    assert checked() == [
        Error(
            "SMOLQWERY_FIRST_DATE: 2025-01-16 is in the future, so nothing would be exported until then.",
            hint="Set it to the first day to export, 2025-01-15 or earlier.",
            id="smolqwery.E002",
        )
    ]


@pytest.mark.usefixtures("late_evening")
def test_e002_today_is_not_the_future(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_FIRST_DATE = date(2025, 1, 15)

    assert checked() == []


def test_e003_a_path_that_leads_to_no_extractor(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [5, f"{__name__}.UserExtractor", "nowhere.X", f"{__name__}.User"]

    assert checked() == [
        Error(
            "SMOLQWERY_EXTRACTORS[0]: 5 is not a string.",
            hint="Write 'package.module.ExtractorClass'.",
            id="smolqwery.E003",
        ),
        Error(
            "SMOLQWERY_EXTRACTORS[2]: cannot import 'nowhere.X': No module named 'nowhere'.",
            hint="Write 'package.module.ExtractorClass', importable from the project.",
            id="smolqwery.E003",
        ),
        Error(
            f"SMOLQWERY_EXTRACTORS[3]: '{__name__}.User' is not a subclass of exporter.BaseExtractor.",
            hint="Name an extractor class.",
            id="smolqwery.E003",
        ),
    ]


def test_e004_a_dataclass_that_bigquery_would_refuse(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.TagsExtractor"]

    assert checked() == [
        Error(
            f"{__name__}.Tags.tags: BigQuery has no column type for set[str].",
            hint=(
                "Use bool, int, float, Decimal, str, an Enum or Literal of str, UUID, bytes, date, datetime, time, "
                "dict or list[Any] (JSON), list[T], tuple[T, ...], a dataclass, or one of these | None."
            ),
            id="smolqwery.E004",
        )
    ]


def test_e005_a_table_named_like_the_delta_view_of_another(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.UserExtractor", f"{__name__}.DeltaExtractor"]

    assert checked() == [
        Error(
            f"{__name__}.DeltaExtractor: 'User_Delta' is the table of {__name__}.DeltaExtractor "
            f"and also the delta view of {__name__}.UserExtractor.",
            hint="Override get_table_name() of one of them.",
            id="smolqwery.E005",
        )
    ]


def test_e005_an_extractor_that_is_listed_twice(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.UserExtractor"] * 2

    assert checked() == [
        Error(
            f"{__name__}.UserExtractor: 'user' is the table of {__name__}.UserExtractor "
            f"and also the table of {__name__}.UserExtractor.",
            hint="Override get_table_name() of one of them.",
            id="smolqwery.E005",
        )
    ]


@pytest.mark.parametrize(
    ("databases", "hint"),
    [
        ({"default": {}, "archive": {}}, "Return one of 'default', 'archive'."),
        ({}, "Return one of 'default'."),
    ],
)
def test_e006_a_database_that_is_not_configured(
    settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch, databases: dict[str, dict[str, str]], hint: str
) -> None:
    monkeypatch.setattr(django_settings, "DATABASES", databases)
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.UserExtractor", f"{__name__}.ReplicaExtractor"]

    assert checked() == [
        Error(
            f"{__name__}.ReplicaExtractor: get_database() returned 'replica', which DATABASES has not.",
            hint=hint,
            id="smolqwery.E006",
        )
    ]


class LostExtractor(UserExtractor):
    def get_database(self) -> str:
        raise KeyError("tenant")


def test_e006_a_database_that_is_not_known_without_one(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.LostExtractor"]

    assert checked() == [
        Error(
            f"{__name__}.LostExtractor: get_database() raised KeyError: 'tenant'.",
            hint="Let it return an alias of DATABASES, without reading one.",
            id="smolqwery.E006",
        )
    ]


def test_e007_without_time_zones(settings: DjangoSettings) -> None:
    settings.USE_TZ = False

    assert checked() == [
        Error(
            "USE_TZ is False: without time zones it is not known when a day begins, nor which instant a row means.",
            hint="Set USE_TZ = True, and TIME_ZONE to the zone that days are local to.",
            id="smolqwery.E007",
        )
    ]


@pytest.fixture
def migrations(tmp_path: Path, settings: DjangoSettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of an installed app `once_smolqwery`."""
    directory = tmp_path / "once_smolqwery" / "migrations"
    directory.mkdir(parents=True)
    (directory.parent / "__init__.py").touch()
    (directory / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "once_smolqwery", raising=False)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "once_smolqwery"]
    return directory


@pytest.mark.parametrize(
    "line",
    ["from smolqwery.migrations import CreateTable", "import smolqwery", "    from smolqwery import x  # später: été"],
)
def test_e008_a_migration_left_over_from_smolqwery(migrations: Path, line: str) -> None:
    (migrations / "0001_initial.py").write_text("from django.db import migrations\n", encoding="utf-8")
    (migrations / "0002_smolqwery.py").write_text(f"import datetime\n{line}\n", encoding="latin-1")

    assert checked() == [
        Error(
            "once_smolqwery: migrations/0002_smolqwery.py imports smolqwery, whose tables Terraform owns now.",
            hint=(
                "Keep the file, for later migrations depend on it: remove the import of smolqwery and write "
                "`operations = []`."
            ),
            id="smolqwery.E008",
        )
    ]


@pytest.mark.parametrize("line", ["# no longer from smolqwery", "from smolqwery_terraform import x", "operations = []"])
def test_e008_other_migrations_pass(migrations: Path, line: str) -> None:
    (migrations / "0002_smolqwery.py").write_text(f"{line}\n", encoding="utf-8")

    assert checked() == []


def test_w001_a_setting_that_is_no_longer_needed(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_DJANGO_APP = "shop"

    assert checked() == [
        Warning(
            "SMOLQWERY_DJANGO_APP is no longer needed: there are no migrations.",
            hint="Remove it from the settings.",
            id="smolqwery.W001",
        )
    ]


@pytest.mark.parametrize("setting", ["SMOLQWERY_ACL_GROUPS", "SMOLQWERY_READER_GROUPS"])
def test_w002_a_group_that_is_no_address(settings: DjangoSettings, setting: str) -> None:
    setattr(settings, setting, ["analysts", "a@example.com", "Data Team <data@example.com>"])

    assert checked() == [
        Warning(
            f"{setting}: {group!r} does not look like an e-mail address.",
            hint="Google takes the address of a group, such as 'analysts@example.com'.",
            id="smolqwery.W002",
        )
        for group in ("analysts", "Data Team <data@example.com>")
    ]


def test_problems_of_all_kinds_are_found_at_once(settings: DjangoSettings, migrations: Path) -> None:
    (migrations / "0002_smolqwery.py").write_text("import smolqwery\n", encoding="utf-8")
    del settings.SMOLQWERY_DATASET
    settings.USE_TZ = False
    settings.SMOLQWERY_DJANGO_APP = "shop"
    settings.SMOLQWERY_ACL_GROUPS = ["analysts"]
    settings.SMOLQWERY_EXTRACTORS = ["nowhere.X", f"{__name__}.TagsExtractor", f"{__name__}.ReplicaExtractor"]

    assert sorted(str(message.id) for message in checked()) == [
        "smolqwery.E001",
        "smolqwery.E003",
        "smolqwery.E004",
        "smolqwery.E006",
        "smolqwery.E007",
        "smolqwery.E008",
        "smolqwery.W001",
        "smolqwery.W002",
    ]


def test_e004_an_extractor_that_raises_when_it_is_asked(settings: DjangoSettings) -> None:
    settings.SMOLQWERY_EXTRACTORS = [f"{__name__}.RaisingExtractor"]

    assert checked() == [
        Error(
            f"{__name__}.RaisingExtractor: raised KeyError: 'no such key' (test_checks.py, line 62).",
            hint="It is asked for its dataclass, names and layout, without a database: make that work.",
            id="smolqwery.E004",
        )
    ]
