from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class Address:
    street: str | None
    city: str
    zip: str | None


@dataclass(kw_only=True)
class User:
    users: int
    address: Address
    country: str | None
    tags: list[str]


class UserExtractor(Daily[User]):
    pass
