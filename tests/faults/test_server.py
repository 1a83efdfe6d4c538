from __future__ import annotations
from datetime import date
import time
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, instant, order


def test_export(make_faulty_warehouse, run_command, server):
    warehouse = make_faulty_warehouse(OrderExtractor, TotalExtractor)
    for d in (1, 2, 3):
        shop.orders.put(f"2025-01-0{d}", order(f"2025-01-0{d}", d))
        shop.totals.put(f"2025-01-0{d}", Total(orders=d))
    t = time.time()
    r = run_command("smolqwery_extract", "--to", "2025-01-03")
    print(r, time.time() - t)
    print(server.rows("order"))
    print(warehouse.rows("order"))
    print(warehouse.rows("total"))
    print(warehouse.ledger("*"))
    print(warehouse.sql(f"select * from `{warehouse.name('total_delta')}`") if 0 else "")
    print(run_command("smolqwery_extract", "--to", "2025-01-03"))
    assert r.exit_code == 0
    assert 0
