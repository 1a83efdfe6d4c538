"""Runs over three days of orders → what they say and leave, as tests of their faults compare it."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from conftest import Ended
from exporter_cases import shop
from exporter_cases.shop import order
from faults.script import FOREVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulator.warehouse import WarehouseCopy
    from faults.server import FaultServer

DAYS = ("2025-01-01", "2025-01-02", "2025-01-03")
EXPORT = ("smolqwery_extract", "--to", DAYS[-1])
NOTHING_NEW = f"order  nothing new, exported to {DAYS[-1]}\n"
SAID = "as the test says"
CHECK_NETWORK = "Check the network and the endpoint, then run this again."
GIVE_GRANTS = "Give the exporter's service account the grants of terraform/export_job, or use other credentials."
SEE_TRACEBACK = "The message is BigQuery's own. Run this again with --traceback to see which call it was."
_CLOSED = "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"

_JOBS = "/bigquery/v2/projects/example-project/jobs?prettyPrint=false"
_QUERIES = "/bigquery/v2/projects/example-project/queries?prettyPrint=false"
_JOB = re.compile(r" Location: EU Job ID: [\w-]+")

_TABLES = re.compile(r"http\S+/tables\?prettyPrint=false")
_STAGING = re.compile(r"[\w-]+\.\w+\.replacing_order_\w+")
OWN_THREADS = ("append ", "interrupts", "shielded call")


def case(step: str, with_: str, *expected: object, **options: Any) -> Any:
    """A fault as parameters of a test: the step, what `server.fail` takes of it, and what is expected."""
    words = [f"{key}={'forever' if value == FOREVER else value}" for key, value in options.items()]
    return pytest.param(step, {"with_": with_, **options}, *expected, id=" ".join([step, with_, *words]))


def stock() -> None:
    """An order a day, numbered 1 to 3."""
    shop.orders.clear()
    for number, day in enumerate(DAYS, 1):
        shop.orders.put(day, order(day, number))


def ended(*outcomes: str, first: str = DAYS[0], last: str = DAYS[-1], rows: str = "3 rows") -> tuple[str, str, int]:
    """A run that says of these days, one after the other, what became of them."""
    days = first if first == last else f"{first} to {last}"
    return "".join(f"order  {days}  {rows}  {outcome}  0.0 s\n" for outcome in outcomes), "", 0


def recovered() -> tuple[str, str, int]:
    """A run that finishes the unit of another one, and has nothing else to do."""
    return ended("recovered")[0] + NOTHING_NEW, "", 0


def failed(text: str, *, stdout: str = "") -> tuple[str, str, int]:
    """A run that ends with this one error."""
    return stdout, f"order failed.\n{text}\nExported 0 of 1 tables. Failed: order.\n", 1


def said(result: Ended, server: FaultServer) -> Ended:
    """Without what differs from run to run: `{rest}` is where the server listens."""
    stderr = _STAGING.sub("{staging}", _TABLES.sub("{tables}", _JOB.sub("{job}", result.stderr)))
    rest = server.emulator.rest_url
    for text, name in ((f"{rest}{_JOBS}", "{jobs}"), (f"{rest}{_QUERIES}", "{queries}"), (rest, "{rest}")):
        stderr = stderr.replace(text, name)
    return Ended(result.stdout, stderr.replace(_CLOSED, "{closed}"), result.exit_code)


def unanswered(problem: str) -> str:
    """Problem and remedy of calls that BigQuery does not answer, or refuses, as `said` has them."""
    remedies = {"BigQuery refuses access": GIVE_GRANTS, "BigQuery refuses the call": SEE_TRACEBACK}
    return f"{problem}\n  {remedies.get(problem.partition(':')[0], CHECK_NETWORK)}"


def numbers(server: FaultServer) -> list[int]:
    """Of the orders that the table holds."""
    return sorted(row["number"] for row in server.rows("order"))


def events(warehouse: WarehouseCopy) -> list[tuple[Any, ...]]:
    """Event, generation and days of each statement that the ledger has taken, in their order."""
    return warehouse.ledger(
        "`event`, `generation`, COUNT(*)", "GROUP BY `event`, `generation`, `recorded_at` ORDER BY `recorded_at`"
    )


def threads_left() -> Sequence[str]:
    """The exporter's own."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(OWN_THREADS)]
