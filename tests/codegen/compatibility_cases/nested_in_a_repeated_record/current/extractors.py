from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class Zip:
    code: str
    area: str


@dataclass(kw_only=True)
class Address:
    zip: Zip
    street: str


@dataclass(kw_only=True)
class User:
    users: int
    addresses: list[Address]


class UserExtractor(Daily[User]):
    pass
