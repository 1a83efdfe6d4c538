from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class User2:
    users: int


class User2Extractor(Daily[User2]):
    pass


@dataclass(kw_only=True)
class User3:
    users: int


class User3Extractor(Daily[User3]):
    pass


@dataclass(kw_only=True)
class User:
    users: int


class UserExtractor(Daily[User]):
    pass
