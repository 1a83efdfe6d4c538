from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from kinds import Daily


@dataclass(kw_only=True)
class User:
    users: int
    id: UUID
    note: Literal["a", "b"]


class UserExtractor(Daily[User]):
    pass
