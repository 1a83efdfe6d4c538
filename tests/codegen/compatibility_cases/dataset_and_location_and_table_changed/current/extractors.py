from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily

SMOLQWERY_DATASET = "store"


SMOLQWERY_DATASET_LOCATION = "US"


@dataclass(kw_only=True)
class User:
    users: int


class UserExtractor(Daily[User]):
    pass
