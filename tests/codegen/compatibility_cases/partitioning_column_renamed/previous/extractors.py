from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Individual


@dataclass(kw_only=True)
class Email:
    timestamp: datetime
    kind: str


class EmailExtractor(Individual[Email]):
    pass
