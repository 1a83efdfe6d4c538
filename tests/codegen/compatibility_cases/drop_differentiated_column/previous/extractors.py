from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily

from exporter import sq_field


@dataclass(kw_only=True)
class User:
    users: int = sq_field(differentiate=True)
    orders: int = sq_field(differentiate=True)


class UserExtractor(Daily[User]):
    pass
