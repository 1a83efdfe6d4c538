from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kinds import Individual


@dataclass(kw_only=True)
class Email:
    sent: datetime
    kind: str


class EmailExtractor(Individual[Email]):
    def get_date_field(self) -> str:
        return "sent"
