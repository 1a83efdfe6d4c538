from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    value: datetime


class UserExtractor(Daily[User]):
    pass
