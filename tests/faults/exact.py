"""An extractor of what bqemulator cannot take: BIGNUMERIC, alone and inside of RECORDs and lists of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exporter import BaseExtractor, ExtractorType, sq_field

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True, kw_only=True)
class Share:
    holder: str
    part: Decimal = sq_field(precision=76, scale=38)
    notes: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Fund:
    """Sums that do not fit a NUMERIC."""

    timestamp: datetime
    whole: Decimal = sq_field(precision=76, scale=38)
    rounded: Decimal | None = sq_field(precision=10, scale=2, default=None)
    largest: Share | None = None
    shares: list[Share]
    labels: list[str]


TINY = Decimal("1E-38")
HUGE = Decimal("99999999999999999999999999999999999999.99999999999999999999999999999999999999")
FUNDS = [
    Fund(
        timestamp=datetime(2025, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
        whole=HUGE,
        rounded=Decimal("-12345678.90"),
        largest=Share(holder="ada", part=HUGE.copy_negate(), notes={"a": [1, None]}),
        shares=[Share(holder="ada", part=TINY), Share(holder="bob", part=TINY.copy_negate(), notes={})],
        labels=["a", ""],
    ),
    Fund(timestamp=datetime(2025, 1, 1, 13, tzinfo=UTC), whole=Decimal(0), shares=[], labels=[]),
]


class FundExtractor(BaseExtractor[Fund]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[Fund]:
        yield from (fund for fund in FUNDS if date_start <= fund.timestamp < date_end)
