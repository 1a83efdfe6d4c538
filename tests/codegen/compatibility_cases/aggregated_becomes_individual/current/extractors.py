from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Individual


@dataclass(kw_only=True)
class User:
    timestamp: datetime
    users: int


class UserExtractor(Individual[User]):
    pass
