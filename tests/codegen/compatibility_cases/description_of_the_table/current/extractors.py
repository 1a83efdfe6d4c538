from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class User:
    """Accounts."""

    users: int


class UserExtractor(Daily[User]):
    pass
