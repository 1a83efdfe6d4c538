from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily

SMOLQWERY_ACL_GROUPS = ["others@example.com"]


@dataclass(kw_only=True)
class User:
    users: int


class UserExtractor(Daily[User]):
    pass
