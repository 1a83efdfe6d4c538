"""`manage.py smolqwery_extract` while BigQuery's REST API, or all of it, is away."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from exporter import patience, write_stream
from exporter_cases import shop
from exporter_cases.interleaving import once
from faults.endings import (
    EXPORT,
    SAID,
    case,
    ended,
    events,
    failed,
    numbers,
    said,
    threads_left,
    unanswered,
)
from faults.script import FOREVER, WAIT_SECONDS

if TYPE_CHECKING:
    from conftest import RunCommand
    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

PREPARED, COMMITTED = ("prepared", 0, 3), ("committed", 0, 3)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("step", "fault"),
    [
        case("table", "HTTP 503", times=3),
        case("table", "HTTP 500", times=3),
        case("table", "dropped", times=3),
        case("table", "HTTP 503", nth=2, times=3),
        case("query", "HTTP 503", times=3),
        case("query", "dropped", times=3),
        case("query", "held", seconds=0.3),
        case("query", "reply lost"),
        case("query", "runs long", polls=4),
        case("insert job", "HTTP 503", times=3),
        case("insert job", "runs long", polls=4),
        case("results", "HTTP 503", times=3),
        case("results", "dropped", times=3),
        case("results", "held", seconds=0.3),
    ],
)
def test_what_may_pass_passes(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, step: str, fault: dict[str, Any]
) -> None:
    server.fail(step, **fault)

    result = run_command(*EXPORT)

    assert result == ended("committed")
    assert (numbers(server), events(orders), threads_left()) == ([1, 2, 3], [PREPARED, COMMITTED], [])


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("step", "fault", "problem"),
    [
        case("table", "HTTP 403", f"{{table}}: BigQuery refuses access: GET {{url}}: {SAID}.", times=FOREVER),
        case("table", "HTTP 503", f"{{table}}: {{rest}} does not answer: 503 GET {{url}}: {SAID}.", times=FOREVER),
        case("table", "silence", "{table}: {rest} does not answer: timed out.", times=FOREVER),
        case("table", "dropped", "{table}: {rest} does not answer: {closed}.", times=FOREVER),
        case("query", "HTTP 403", f"{{ledger}}: BigQuery refuses access: POST {{queries}}: {SAID}."),
        case(
            "query", "HTTP 503", f"{{ledger}}: {{rest}} does not answer: 503 POST {{queries}}: {SAID}.", times=FOREVER
        ),
        case("query", "silence", "{ledger}: {rest} does not answer: timed out.", times=FOREVER),
        case("query", "runs long", "{ledger}: {rest} does not answer: the job has not ended in time.", polls=1000),
        case("results", "silence", "{ledger}: {rest} does not answer: timed out.", times=FOREVER),
        case("results", "dropped", "{ledger}: {rest} does not answer: {closed}.", times=FOREVER),
    ],
)
def test_what_does_not_pass_at_the_beginning_ends_the_run(  # noqa: PLR0913, PLR0917 - a case
    orders: WarehouseCopy,
    run_command: RunCommand,
    server: FaultServer,
    step: str,
    fault: dict[str, Any],
    problem: str,
) -> None:
    if step == "results":
        server.fail("query", with_="runs long")
    met = server.fail(step, **fault)

    first = run_command(*EXPORT)
    before = shop.orders.asked.copy(), threads_left()
    met.end()
    again = run_command(*EXPORT)

    location, _, words = filled(problem, orders).partition(": ")
    assert said(first, server) == ("", f"{location}: {unanswered(words)}\n", 1)
    assert before == ([], [])
    assert again == ended("committed")
    assert numbers(server) == [1, 2, 3]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("word", ["HTTP 503", "silence"])
def test_the_last_look_at_the_table_is_not_left_out(
    orders: WarehouseCopy, run_command: RunCommand, server: FaultServer, word: str
) -> None:
    met = server.fail("table", with_=word, nth=2, times=FOREVER)

    first = run_command(*EXPORT)
    before = numbers(server), events(orders), threads_left()
    met.end()
    again = run_command(*EXPORT)

    reason = {"HTTP 503": f"503 GET {{url}}: {SAID}", "silence": "timed out"}[word]
    problem = filled(f"{{rest}} does not answer: {reason}.", orders)
    assert said(first, server) == failed(f"{orders.name('order')}: {unanswered(problem)}")
    assert before == ([], [], [])
    assert again == ended("committed")
    assert (numbers(server), events(orders)) == ([1, 2, 3], [PREPARED, COMMITTED])


REFUSED = "{rest} does not answer: [Errno 111] Connection refused."
UNAVAILABLE = (
    "UNAVAILABLE: failed to connect to all addresses; last error: UNKNOWN: ipv4:{grpc}: Failed to connect to remote "
    "host: Connection refused."
)
NOT_VISIBLE = "Nothing of it is visible. Run the command again: it starts with the same day."
COMMIT_AGAIN = "Run the command again: no row is lost, or there twice."


class TestBothServersAreGone:
    @pytest.fixture(autouse=True)
    def impatient_stream(self, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
        del impatient
        monkeypatch.setattr(write_stream, "UNACKNOWLEDGED_SECONDS", 2)
        monkeypatch.setattr(write_stream, "RETRY", patience.RETRY.with_timeout(1))

    def test_for_the_whole_run(self, orders: WarehouseCopy, run_command: RunCommand, server: FaultServer) -> None:
        server.stop()

        result = run_command(*EXPORT)

        assert said(result, server) == ("", f"{orders.name('order')}: {unanswered(REFUSED)}\n", 1)
        assert threads_left() == []

    @pytest.mark.parametrize(
        ("step", "problem"),
        [
            ("ledger read", f"{{table}}: {unanswered(REFUSED)}"),
            (
                "appended",
                f"{{table}}, from 2025-01-01 on: no acknowledgement within 2 s: {UNAVAILABLE}\n  {NOT_VISIBLE}",
            ),
            ("finalized", f"{{table}}: {unanswered(REFUSED)}"),
            ("looked again", f"{{ledger}}: {unanswered(REFUSED)}"),
            (
                "prepared",
                f"{{days}}: BigQuery does not commit its write streams: {UNAVAILABLE}\n  {COMMIT_AGAIN}",
            ),
            ("committed", f"{{ledger}}: {unanswered(REFUSED)}"),
        ],
    )
    def test_from_the_middle_of_a_run_on(  # noqa: PLR0913, PLR0917 - a case
        self,
        orders: WarehouseCopy,
        run_command: RunCommand,
        server: FaultServer,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        problem: str,
    ) -> None:
        def stop() -> None:
            if step == "appended":  # not while the call begins: gRPC then may never end it, and its thread neither
                assert arrived.wait(WAIT_SECONDS)
            server.stop()

        arrived = threading.Event()
        if step == "appended":
            server.fail("append", with_="silence", do=arrived.set)
        once(monkeypatch, step, stop)

        result = run_command(*EXPORT)

        assert said(result, server) == failed(filled(problem, orders, server))
        assert threads_left() == []


def filled(text: str, warehouse: WarehouseCopy, server: FaultServer | None = None) -> str:
    """With the names of this warehouse; what `said` leaves out stays."""
    names = {
        "table": warehouse.name("order"),
        "ledger": warehouse.ledger_name,
        "days": f"{warehouse.name('order')}, 2025-01-01 to 2025-01-03",
        "url": "{rest}/bigquery/v2/projects/example-project/datasets/"
        f"{warehouse.dataset}/tables/order?prettyPrint=false",
        "grpc": server.emulator.grpc_endpoint if server else "",
    }
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
