from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily

from exporter import sq_field


@dataclass(kw_only=True)
class Zip:
    code: str = sq_field(description="The code.")


@dataclass(kw_only=True)
class Address:
    zip: Zip
    street: str


@dataclass(kw_only=True)
class User:
    users: int
    address: Address


class UserExtractor(Daily[User]):
    pass
