from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    a: int | None
    b: list[int]
    c: int


class UserExtractor(Daily[User]):
    pass
