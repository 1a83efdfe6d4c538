"""Django settings → one frozen `Settings`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings

from exporter.days import FIRST_DAY, LAST_DAY
from exporter.errors import SettingsError
from exporter.names import dataset_name_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GOOGLE_KEYS = (
    "type",
    "project_id",
    "private_key_id",
    "private_key",
    "client_email",
    "client_id",
    "auth_uri",
    "token_uri",
    "auth_provider_x509_cert_url",
    "client_x509_cert_url",
)
_MAX_SETTLE_DELAY = timedelta(days=366)
_NEEDED_GOOGLE_KEYS = ("project_id", "private_key", "client_email", "token_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every SMOLQWERY_* setting, checked, and the time zone that days are local to."""

    extractors: tuple[str, ...]
    first_date: date
    dataset: str
    dataset_location: str
    acl_groups: tuple[str, ...]
    reader_groups: tuple[str, ...]
    project: str | None
    settle_delay: timedelta
    terraform_dir: Path
    service_account: Mapping[str, str] | None
    zone: ZoneInfo

    @property
    def exporter_dataset(self) -> str:
        """Where the ledger is. No group has access to it."""
        return f"{self.dataset}_exporter"


def load_settings() -> Settings:
    """Raises SettingsError, the first of `settings_problems()`."""
    values, problems = _read()
    if problems:
        raise problems[0]
    return Settings(**values, zone=ZoneInfo(django_settings.TIME_ZONE))


def settings_problems() -> list[SettingsError]:
    """All that is wrong with the settings, for the system checks."""
    return _read()[1]


def _read() -> tuple[dict[str, Any], list[SettingsError]]:
    readers: dict[str, Callable[[str], Any]] = {
        "extractors": _extractors,
        "first_date": _first_date,
        "dataset": _dataset,
        "dataset_location": _required_string,
        "acl_groups": _strings,
        "reader_groups": _strings,
        "project": _optional_string,
        "settle_delay": _settle_delay,
        "terraform_dir": _terraform_dir,
        "service_account": _service_account,
    }
    values: dict[str, Any] = {}
    problems: list[SettingsError] = []
    for name, reader in readers.items():
        try:
            values[name] = reader(f"SMOLQWERY_{name.upper()}")
        except SettingsError as problem:
            problems.append(problem)
    if not problems and values["project"] is None and values["service_account"]:
        values["project"] = values["service_account"]["project_id"]
    return values, problems


def _get(setting: str) -> Any:
    return getattr(django_settings, setting, None)


def _wrong(setting: str, value: object, remedy: str) -> SettingsError:
    problem = "is not set." if value is None else f"is {value!r}."
    return SettingsError(location=setting, problem=problem, remedy=remedy)


def _required_string(setting: str) -> str:
    value = _get(setting)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(setting, value, "Set it to a string such as 'EU'.")
    return value


def _optional_string(setting: str) -> str | None:
    value = _get(setting)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise _wrong(setting, value, "Set it to a string, or leave it out.")
    return value


def _strings(setting: str) -> tuple[str, ...]:
    value = _get(setting)
    if value is None:
        return ()
    # A lone string is a sequence of strings too, of one letter each.
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) and item for item in value):
        raise _wrong(setting, value, "Set it to a list of e-mail addresses such as ['analysts@example.com'].")
    return tuple(value)


def _extractors(setting: str) -> tuple[str, ...]:
    value = _get(setting)
    if not isinstance(value, (list, tuple)):
        raise _wrong(setting, value, "Set it to a list of dotted paths such as ['shop.extractors.UserExtractor'].")
    return tuple(value)


def _dataset(setting: str) -> str:
    value = _get(setting)
    if not isinstance(value, str):
        raise _wrong(setting, value, "Set it to the name of the BigQuery dataset, such as 'statistics'.")
    if problem := dataset_name_problem(value):
        raise SettingsError(location=setting, problem=f"{problem}.", remedy="Set it to a name such as 'statistics'.")
    return value


def _first_date(setting: str) -> date:
    value = _get(setting)
    remedy = "Set it to a datetime.date or an ISO date such as '2025-01-01'."
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise _wrong(setting, value, remedy) from error
    if not isinstance(value, date) or isinstance(value, datetime) or not FIRST_DAY <= value <= LAST_DAY:
        raise _wrong(setting, value, remedy)
    return value


def _settle_delay(setting: str) -> timedelta:
    value = _get(setting)
    if value is None:
        return timedelta(0)
    if not isinstance(value, timedelta) or not timedelta(0) <= value <= _MAX_SETTLE_DELAY:
        raise _wrong(setting, value, "Set it to a datetime.timedelta of 0 to 366 days, such as timedelta(hours=1).")
    return value


def _terraform_dir(setting: str) -> Path:
    value = _get(setting)
    if value is None:
        return Path("terraform/warehouse")
    if not isinstance(value, (str, Path)) or not str(value):
        raise _wrong(setting, value, "Set it to a directory such as BASE_DIR / 'terraform' / 'warehouse'.")
    return Path(value)


def _service_account(_setting: str) -> Mapping[str, str] | None:
    """The seed's ten settings: a service account's key, field by field."""
    info = {key: _get(f"SMOLQWERY_GOOGLE_{key.upper()}") for key in GOOGLE_KEYS}
    given = {key: value for key, value in info.items() if value}
    if not given:
        return None
    remedy = "Copy it from the service account's JSON key, or remove all SMOLQWERY_GOOGLE_* for ambient credentials."
    for key, value in given.items():
        if not isinstance(value, str):  # shown by its type alone: it may be the private key
            problem = f"is {type(value).__name__}, not str."
            raise SettingsError(location=f"SMOLQWERY_GOOGLE_{key.upper()}", problem=problem, remedy=remedy)
    for key in _NEEDED_GOOGLE_KEYS:
        if key not in given:
            raise _wrong(f"SMOLQWERY_GOOGLE_{key.upper()}", None, remedy)
    return {"type": "service_account", **given}
