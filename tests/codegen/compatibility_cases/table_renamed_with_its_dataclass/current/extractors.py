from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class Account:
    users: int
    country: str


class AccountExtractor(Daily[Account]):
    pass
