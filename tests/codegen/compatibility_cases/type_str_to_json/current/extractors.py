from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    value: dict[str, Any]


class UserExtractor(Daily[User]):
    pass
