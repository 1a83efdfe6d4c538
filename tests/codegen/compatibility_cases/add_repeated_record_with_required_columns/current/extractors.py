from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class Item:
    sku: str


@dataclass(kw_only=True)
class User:
    users: int
    items: list[Item]


class UserExtractor(Daily[User]):
    pass
