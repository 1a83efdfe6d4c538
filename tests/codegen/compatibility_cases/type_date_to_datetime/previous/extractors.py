from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    value: date


class UserExtractor(Daily[User]):
    pass
