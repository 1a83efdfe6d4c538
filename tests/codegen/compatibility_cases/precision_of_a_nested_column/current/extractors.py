from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kinds import Daily

from exporter import sq_field


@dataclass(kw_only=True)
class Item:
    amount: Decimal = sq_field(precision=8, scale=2)


@dataclass(kw_only=True)
class User:
    users: int
    items: list[Item]


class UserExtractor(Daily[User]):
    pass
