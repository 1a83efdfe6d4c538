from __future__ import annotations

from dataclasses import dataclass

from kinds import Daily


@dataclass(kw_only=True)
class Inner:
    a: int


@dataclass(kw_only=True)
class Outer:
    inner: Inner
    b: int


@dataclass(kw_only=True)
class User:
    users: int
    outer: Outer


class UserExtractor(Daily[User]):
    pass
