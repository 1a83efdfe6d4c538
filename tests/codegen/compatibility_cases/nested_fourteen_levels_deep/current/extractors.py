from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class Level0:
    value: float


@dataclass(kw_only=True)
class Level1:
    level0: Level0


@dataclass(kw_only=True)
class Level2:
    level1: Level1


@dataclass(kw_only=True)
class Level3:
    level2: Level2


@dataclass(kw_only=True)
class Level4:
    level3: Level3


@dataclass(kw_only=True)
class Level5:
    level4: Level4


@dataclass(kw_only=True)
class Level6:
    level5: Level5


@dataclass(kw_only=True)
class Level7:
    level6: Level6


@dataclass(kw_only=True)
class Level8:
    level7: Level7


@dataclass(kw_only=True)
class Level9:
    level8: Level8


@dataclass(kw_only=True)
class Level10:
    level9: Level9


@dataclass(kw_only=True)
class Level11:
    level10: Level10


@dataclass(kw_only=True)
class Level12:
    level11: Level11


@dataclass(kw_only=True)
class Level13:
    level12: Level12


@dataclass(kw_only=True)
class User:
    users: int
    level13: Level13


class UserExtractor(Daily[User]):
    pass
