"""The two kinds of extractor, with layouts as attributes: what the cases have in common."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from exporter import BaseExtractor, ExtractorType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

D = TypeVar("D")


class Daily(BaseExtractor[D]):
    """A row a day."""

    partitioning: str | None = None
    expiration: timedelta | None = None
    clustering: Sequence[str] = ()
    table: str = ""

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[D]:
        raise NotImplementedError

    def get_table_name(self) -> str:
        return self.table or super().get_table_name()

    def get_partitioning(self) -> str | None:
        return self.partitioning

    def get_partition_expiration(self) -> timedelta | None:
        return self.expiration

    def get_clustering_fields(self) -> Sequence[str]:
        return self.clustering


class Individual(Daily[D]):
    """Rows with a time stamp."""

    partitioning = "DAY"

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows
