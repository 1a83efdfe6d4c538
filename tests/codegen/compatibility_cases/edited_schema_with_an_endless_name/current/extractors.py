from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int


class UserExtractor(Daily[User]):
    pass
