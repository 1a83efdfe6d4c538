"""A seed → the rows of each day: what is exported, and what BigQuery must hold in the end.

The source has editions: what a team's database had for these days first, and after corrections.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Europe/Berlin")
FIRST_DAY = date(2025, 3, 26)  # the clocks go forward on the 30th
# Rows of each day, by edition. The clocks change on a large day; days lose their rows and get some.
_VISITS = (
    (3, 0, 1, 40, 500, 90, 0, 25, 120, 0),
    (3, 2, 0, 60, 500, 90, 4, 25, 120, 0),
    (3, 0, 5, 20, 450, 80, 0, 25, 120, 0),
)
_PARCELS = (
    (2, 50, 0, 5, 0, 30, 40, 1, 0, 4),
    (2, 50, 3, 0, 9, 30, 41, 1, 0, 4),
    (2, 40, 0, 5, 1, 0, 39, 1, 0, 4),
)

EDITIONS = range(len(_VISITS))
DAYS = tuple(FIRST_DAY + timedelta(days=number) for number in range(len(_VISITS[0])))
LAST_DAY = DAYS[-1]
CORRECTED = DAYS[1:7]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSeen:
    number: int
    at: datetime
    page: str
    visitor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelSent:
    number: int
    price: Decimal
    contents: tuple[tuple[str, int], ...]
    """Name and pieces."""
    tags: tuple[str, ...]


def visits(day: date, edition: int = 0) -> list[VisitSeen]:
    """Some at the day's first and last instant; many alike but for their number."""
    position = DAYS.index(day)
    chance = random.Random(f"visits of {day}, {edition}")
    earlier = sum(_VISITS[edition][:position])
    return [
        VisitSeen(
            number=earlier + number,
            at=datetime.combine(day, _time_of_day(number, chance), ZONE).astimezone(UTC),
            page=chance.choice(("/", "/cart", "/cart")),
            visitor=chance.choice((None, "ada", "bob")),
        )
        for number in range(_VISITS[edition][position])
    ]


def visits_to(day: date, edition: int = 0) -> int:
    """Until the end of the day."""
    return sum(_VISITS[edition][: DAYS.index(day) + 1])


def parcels(day: date, edition: int = 0) -> list[ParcelSent]:
    position = DAYS.index(day)
    chance = random.Random(f"parcels of {day}, {edition}")
    earlier = sum(_PARCELS[edition][:position])
    return [
        ParcelSent(
            number=earlier + number,
            price=Decimal(chance.randrange(10**15)).scaleb(-9),  # all digits of a NUMERIC: equal is the same text
            contents=tuple((chance.choice(("tea", "cup")), chance.randrange(3)) for _ in range(chance.randrange(3))),
            tags=tuple(chance.choice(("new", "")) for _ in range(chance.randrange(3))),
        )
        for number in range(_PARCELS[edition][position])
    ]


def write_database(path: Path, edition: int) -> None:
    """The visits, as Django stores them in SQLite."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE visit (number integer PRIMARY KEY, at datetime, page text, visitor text)")
        connection.executemany(
            "INSERT INTO visit VALUES (?, ?, ?, ?)",
            [
                (one.number, str(one.at.replace(tzinfo=None)), one.page, one.visitor)
                for day in DAYS
                for one in visits(day, edition)
            ],
        )


def _time_of_day(number: int, chance: random.Random) -> time:
    if number == 0:
        return time.min
    if number == 1:
        return time.max
    return time(chance.choice((0, 1, 4, 12, 23)), chance.randrange(60))
