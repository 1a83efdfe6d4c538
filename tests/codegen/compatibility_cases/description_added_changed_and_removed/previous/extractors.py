from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily

from exporter import sq_field


@dataclass(kw_only=True)
class User:
    users: int
    a: int = sq_field(description="One.")
    b: int = sq_field(description="Two.")


class UserExtractor(Daily[User]):
    pass
