from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kinds import Daily

from exporter import sq_field


@dataclass(kw_only=True)
class User:
    users: int
    amount: Decimal = sq_field(precision=10, scale=0)


class UserExtractor(Daily[User]):
    pass
