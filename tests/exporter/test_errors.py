"""What can go wrong: one tree, and messages of location, problem, remedy."""

from __future__ import annotations

import inspect
import re
from datetime import date

import pytest

from exporter import errors
from exporter.errors import ExporterError, RowError, SettingsError


def test_message_is_location_problem_and_remedy() -> None:
    error = SettingsError(location="SMOLQWERY_DATASET", problem="is not set.", remedy="Set it.")

    assert str(error) == "SMOLQWERY_DATASET: is not set.\n  Set it."
    assert (error.location, error.problem, error.remedy) == ("SMOLQWERY_DATASET", "is not set.", "Set it.")


@pytest.mark.parametrize(
    ("column", "location"),
    [
        ("sent_at", "shop.extractors.EmailExtractor, 2022-01-03, row 17, column sent_at"),
        (None, "shop.extractors.EmailExtractor, 2022-01-03, row 17"),
    ],
)
def test_row_error_says_which_row_of_which_day(column: str | None, location: str) -> None:
    error = RowError(
        extractor="shop.extractors.EmailExtractor",
        day=date(2022, 1, 3),
        row=17,
        column=column,
        problem="naive datetime 2022-01-03 10:00:00.",
        remedy="Use an aware datetime, e.g. django.utils.timezone.make_aware(value).",
    )

    assert str(error) == (
        f"{location}: naive datetime 2022-01-03 10:00:00.\n"
        "  Use an aware datetime, e.g. django.utils.timezone.make_aware(value)."
    )
    assert (error.extractor, error.day, error.row, error.column) == (
        "shop.extractors.EmailExtractor",
        date(2022, 1, 3),
        17,
        column,
    )


def test_docstring_draws_the_tree() -> None:
    drawn = re.findall(r"^(?:[│ ]*[├└]── )?(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    classes = [
        thing for thing in vars(errors).values() if inspect.isclass(thing) and thing.__module__ == errors.__name__
    ]

    assert drawn == [one.__name__ for one in classes]
    assert all(issubclass(one, ExporterError) for one in classes)


def test_docstring_draws_who_derives_from_whom() -> None:
    parents: dict[int, str] = {}
    derived: list[tuple[str, str]] = []
    for branch, name in re.findall(r"^([│ ]*[├└]── )(\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(branch) // 4
        parents[depth] = name
        derived.append((name, parents.get(depth - 1, "ExporterError")))

    assert [(name, getattr(errors, name).__bases__[0].__name__) for name, _ in derived] == derived
