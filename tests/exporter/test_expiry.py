"""When the rows of a day may be gone, by the age of its partition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from exporter import BaseExtractor
from exporter.expiry import may_have_expired
from exporter_cases.runs import source_of
from exporter_cases.shop import DailyExtractor, OrderExtractor

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("extractor", "partitioning", "expires"),
    [
        (OrderExtractor, "HOUR", datetime(2025, 3, 15, 5, tzinfo=UTC)),
        (OrderExtractor, "DAY", datetime(2025, 3, 15, tzinfo=UTC)),
        (OrderExtractor, "MONTH", datetime(2025, 3, 11, tzinfo=UTC)),
        (OrderExtractor, "YEAR", datetime(2025, 1, 11, tzinfo=UTC)),
        (DailyExtractor, "DAY", datetime(2025, 3, 15, tzinfo=UTC)),
        (DailyExtractor, "MONTH", datetime(2025, 3, 11, tzinfo=UTC)),
    ],
)
def test_a_day_may_expire_with_its_first_partition(
    extractor: type[BaseExtractor[Any]], partitioning: str, expires: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten days after the partition began that holds the first instants of the fifth of March."""
    monkeypatch.setattr(extractor, "get_partitioning", lambda _self: partitioning)
    lasting = source_of(extractor())
    source = replace(lasting, table=replace(lasting.table, expiration=timedelta(days=10)))
    day = date(2025, 3, 5)

    assert not may_have_expired(source, day, expires - SECOND)
    assert may_have_expired(source, day, expires)
    assert not may_have_expired(lasting, day, datetime(9999, 1, 1, tzinfo=UTC))
