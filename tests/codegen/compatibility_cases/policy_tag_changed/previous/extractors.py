from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily

from exporter import sq_field


@dataclass(kw_only=True)
class User:
    users: int
    mail: str = sq_field(policy_tags=["projects/p/locations/eu/taxonomies/1/policyTags/2"])


class UserExtractor(Daily[User]):
    pass
