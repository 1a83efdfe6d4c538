from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Daily, Individual


@dataclass(kw_only=True)
class User:
    users: int
    country: str


class UserExtractor(Daily[User]):
    pass


@dataclass(kw_only=True)
class Email:
    timestamp: datetime
    kind: str


class EmailExtractor(Individual[Email]):
    pass
