"""Settings, extractors and leftovers of smolqwery → Django system check messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name for it
from django.utils import timezone

from exporter.conf import load_settings, settings_problems
from exporter.errors import ExporterError, SchemaError, SettingsError
from exporter.extractors import load_extractors, path_of
from exporter.tables import refuse_clashes, table_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.extractors import BaseExtractor

_SMOLQWERY_IMPORT = re.compile(r"^\s*(?:from|import)\s+smolqwery\b", re.MULTILINE)


def check_all(**_kwargs: Any) -> list[CheckMessage]:
    return [*_time_zone(), *_settings(), *_extractors(), *_groups(), *_leftover_migrations(), *_leftover_settings()]


def _error(number: int, problem: ExporterError) -> Error:
    return Error(f"{problem.location}: {problem.problem}", hint=problem.remedy, id=f"smolqwery.E{number:03}")


def _settings() -> Iterator[CheckMessage]:
    problems = settings_problems()
    yield from (_error(1, problem) for problem in problems)
    if not problems:
        first_date, today = load_settings().first_date, timezone.now().astimezone(load_settings().zone).date()
        if first_date > today:
            yield Error(
                f"SMOLQWERY_FIRST_DATE: {first_date} is in the future, so nothing would be exported until then.",
                hint=f"Set it to the first day to export, {today} or earlier.",
                id="smolqwery.E002",
            )


def _extractors() -> Iterator[CheckMessage]:
    extractors: list[BaseExtractor[Any]] = []
    sound = True
    paths = getattr(django_settings, "SMOLQWERY_EXTRACTORS", None)
    for position, path in enumerate(paths if isinstance(paths, (list, tuple)) else ()):
        try:
            extractors += load_extractors([path], first_position=position)
        except SettingsError as problem:
            yield _error(3, problem)
    databases = list(django_settings.DATABASES) or ["default"]  # which Django always has
    for extractor in extractors:
        try:
            table_columns(extractor)
        except SchemaError as problem:
            sound = False
            yield _error(4, problem)
            continue
        try:
            alias = extractor.get_database()
        except Exception as error:  # noqa: BLE001 - of a team's own code
            yield _error(
                6,
                SchemaError(
                    location=path_of(extractor),
                    problem=f"get_database() raised {type(error).__name__}: {error}.",
                    remedy="Let it return an alias of DATABASES, without reading one.",
                ),
            )
            continue
        if alias not in databases:
            yield Error(
                f"{path_of(extractor)}: get_database() returned {alias!r}, which DATABASES has not.",
                hint=f"Return one of {', '.join(map(repr, databases))}.",
                id="smolqwery.E006",
            )
    if sound:
        try:
            refuse_clashes(extractors)
        except SchemaError as problem:
            yield _error(5, problem)


def _time_zone() -> Iterator[CheckMessage]:
    if not django_settings.USE_TZ:
        yield Error(
            "USE_TZ is False: without time zones it is not known when a day begins, nor which instant a row means.",
            hint="Set USE_TZ = True, and TIME_ZONE to the zone that days are local to.",
            id="smolqwery.E007",
        )


def _leftover_migrations() -> Iterator[CheckMessage]:
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path, "migrations").glob("*.py")):
            if _SMOLQWERY_IMPORT.search(path.read_text(encoding="utf-8", errors="replace")):
                yield Error(
                    f"{config.label}: migrations/{path.name} imports smolqwery, whose tables Terraform owns now.",
                    hint="Keep the file, for later migrations depend on it: remove the import of smolqwery and write "
                    "`operations = []`.",
                    id="smolqwery.E008",
                )


def _leftover_settings() -> Iterator[CheckMessage]:
    if hasattr(django_settings, "SMOLQWERY_DJANGO_APP"):
        yield Warning(
            "SMOLQWERY_DJANGO_APP is no longer needed: there are no migrations.",
            hint="Remove it from the settings.",
            id="smolqwery.W001",
        )


def _groups() -> Iterator[CheckMessage]:
    for setting in ("SMOLQWERY_ACL_GROUPS", "SMOLQWERY_READER_GROUPS"):
        groups = getattr(django_settings, setting, None)
        for group in groups if isinstance(groups, (list, tuple)) else ():
            if isinstance(group, str) and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", group):
                yield Warning(
                    f"{setting}: {group!r} does not look like an e-mail address.",
                    hint="Google takes the address of a group, such as 'analysts@example.com'.",
                    id="smolqwery.W002",
                )
