from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Individual


@dataclass(kw_only=True)
class Email:
    timestamp: datetime


class EmailExtractor(Individual[Email]):
    pass
