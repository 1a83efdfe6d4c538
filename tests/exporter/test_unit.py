"""What an extractor gives back for its days, read without BigQuery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from exporter import BaseExtractor, ExtractionError, ExtractorType
from exporter.days import window
from exporter.reading import read_rows
from exporter.unit import Draft
from exporter_cases.runs import dry_run, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    MakeAlias = Callable[[str, dict[str, Any]], str]

NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")


@dataclass
class Order:
    timestamp: datetime
    number: int


class OrderExtractor(BaseExtractor[Order]):
    """Reads no database of Django's but the one that it is given, and answers with `answer`."""

    def __init__(self, answer: Callable[[datetime, datetime], Any], database: str = "none") -> None:
        self._answer = answer
        self._database = database

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def get_database(self) -> str:
        return self._database

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Order]:
        answer: Iterable[Order] = self._answer(date_start, date_end)
        return answer


@pytest.fixture(autouse=True)
def no_database(make_alias: MakeAlias) -> None:
    make_alias("none", {"ENGINE": "django.db.backends.dummy"})


def numbers(answer: Callable[[datetime, datetime], Any]) -> list[int]:
    """Of the rows of 2025-01-15."""
    return [row["number"] for row in read_rows(OrderExtractor(answer), window(date(2025, 1, 15), NEW_YORK))]


def refused(answer: Callable[[datetime, datetime], Any]) -> str:
    with pytest.raises(ExtractionError) as refusal:
        numbers(answer)
    return str(refusal.value)


@pytest.mark.parametrize("kind", [list, tuple, iter, lambda rows: (row for row in rows)])
def test_extractor_can_give_any_iterable(kind: Callable[[list[Order]], Any]) -> None:
    assert numbers(lambda start, _: kind([Order(start, number) for number in range(100)])) == list(range(100))


@pytest.mark.parametrize("nothing", [[], (), iter([])])
def test_day_without_rows(nothing: Any) -> None:
    assert numbers(lambda *_: nothing) == []


@pytest.mark.parametrize(("answer", "shown"), [(None, "None"), (5, "int"), (Order(datetime.now(UTC), 1), "Order")])
def test_extractor_that_gives_no_rows_at_all(answer: Any, shown: str) -> None:
    assert refused(lambda *_: answer) == (
        f"{__name__}.OrderExtractor, 2025-01-15: extract() returned {shown} instead of rows.\n"
        "  Yield them, or return a list of them: an empty one for a day without rows."
    )


def test_extractor_that_raises() -> None:
    def answer(start: datetime, _end: datetime) -> Iterator[Order]:
        yield Order(start, 1)
        raise LookupError("no such table")

    assert refused(answer) == (
        f"{__name__}.OrderExtractor, 2025-01-15: extract() raised LookupError: no such table.\n"
        "  What was read of this day is not exported. Mend the extractor or its database, then run the command again."
    )


def test_extractor_is_asked_in_its_own_time_zone() -> None:
    asked: list[Any] = []

    def answer(*bounds: datetime) -> list[Order]:
        asked.append(bounds)
        return []

    numbers(answer)

    assert asked == [(datetime(2025, 1, 15, tzinfo=NEW_YORK), datetime(2025, 1, 16, tzinfo=NEW_YORK))]
    assert [bound.tzinfo for bound in asked[0]] == [NEW_YORK, NEW_YORK]


def test_day_that_the_calendar_skipped_is_not_asked_for() -> None:
    extractor = OrderExtractor(lambda *_: pytest.fail("It was asked."))

    assert list(read_rows(extractor, window(date(2011, 12, 30), APIA))) == []


def draft(extractor: OrderExtractor) -> Draft:
    """Read as a dry run reads, of 2025-01-01 to 2025-01-05."""
    with Draft(dry_run(), source_of(extractor), "project.dataset.order") as read:
        read.read(date(2025, 1, 1), date(2025, 1, 5))
    return read


def test_unit_ends_before_the_day_that_fails() -> None:
    def answer(start: datetime, _end: datetime) -> Iterator[Order]:
        yield Order(start, 1)
        yield Order(start, "2" if start.day == 3 else 2)  # type: ignore[arg-type]

    unit = draft(OrderExtractor(answer))

    assert (unit.days, unit.row_counts) == ([date(2025, 1, 1), date(2025, 1, 2)], [2, 2])
    assert str(unit.failure).startswith(f"{__name__}.OrderExtractor, 2025-01-03, row 2, column number: str '2' is not")


def test_first_day_that_fails_is_raised() -> None:
    with pytest.raises(ExtractionError, match=r", 2025-01-01: extract\(\) returned None instead of rows"):
        draft(OrderExtractor(lambda *_: None))
