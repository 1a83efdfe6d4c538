from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    amount: Decimal


class UserExtractor(Daily[User]):
    pass
