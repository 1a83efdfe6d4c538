"""`manage.py smolqwery_extract` when the platform ends it: SIGTERM as Cloud Run sends it, Ctrl-C as a person does."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from exporter import commits
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, order

if TYPE_CHECKING:
    from conftest import MakeWarehouse, RunCommand

INTERRUPTED = (
    "Interrupted. Units that were reported are committed, of the one that was being read nothing is visible.\n"
    "  Run the command again: it goes on with the first open day.\n"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_rows_are_read(make_warehouse: MakeWarehouse, run_command: RunCommand, number: signal.Signals) -> None:
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.orders.put("2025-01-02", order("2025-01-02", 2), lambda: signal.raise_signal(number))
    before = signal.getsignal(number)

    interrupted = run_command("smolqwery_extract", "--to", "2025-01-02")
    left = warehouse.rows("order"), warehouse.ledger("*"), shop.totals.asked.copy()
    shop.orders.clear()
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    again = run_command("smolqwery_extract", "order", "--to", "2025-01-02")

    assert interrupted == ("", INTERRUPTED, 1)
    assert left == ([], [], [])
    assert signal.getsignal(number) is before
    assert again == ("order  2025-01-01 to 2025-01-02  1 row  committed  0.0 s\n", "", 0)


def test_while_a_unit_is_committed(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finishes first, and nothing is begun after it."""
    warehouse = make_warehouse(OrderExtractor, TotalExtractor)
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.totals.put("2025-01-01", Total(orders=1))

    commit = commits.commit

    def interrupted_commit(*args: Any, **kwargs: Any) -> None:
        signal.raise_signal(signal.SIGTERM)
        commit(*args, **kwargs)

    monkeypatch.setattr(commits, "commit", interrupted_commit)

    result = run_command("smolqwery_extract", "--to", "2025-01-01")

    assert result == ("order  2025-01-01  1 row  committed  0.0 s\n", INTERRUPTED, 1)
    assert warehouse.rows("order", "number") == [(1,)]
    assert warehouse.ledger("`event`") == [("prepared",), ("committed",)]
    assert shop.totals.asked == []
