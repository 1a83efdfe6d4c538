from __future__ import annotations

from dataclasses import dataclass

from exporter import BaseExtractor

SMOLQWERY_EXTRACTORS = [
    "nowhere.extractors.UserExtractor",
    "broken.UserExtractor",
    "extractors.Misspelled",
    "extractors.User",
    "extractors.UserExtractor",
    "extractors",
    7,
]


@dataclass
class User:
    users: int


class UserExtractor(BaseExtractor[User]):
    """Without extract() and get_extractor_type()."""
