from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    a: int
    b: list[str]
    c: bool | None


class UserExtractor(Daily[User]):
    pass
