from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Individual


@dataclass(kw_only=True)
class Email:
    timestamp: datetime
    kind: int


class EmailExtractor(Individual[Email]):
    clustering = ("kind",)
