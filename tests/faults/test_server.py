"""The fault server through Google's own clients: BigQuery's behaviour, and an export from end to end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.rpc import code_pb2

from emulator.clients import batch, clients_of, field
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, instant, order
from faults.answers import detail, error_codes, run_job
from faults.exact import FUNDS, FundExtractor
from faults.server import FaultServer

if TYPE_CHECKING:
    from conftest import MakeWarehouse, RunCommand
    from emulator.clients import Clients

TABLE = "d.t"
REQUIRED = {"mode": "REQUIRED"}


class TestExport:
    def test_rows_and_ledger(
        self, make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer
    ) -> None:
        warehouse = make_faulty_warehouse(OrderExtractor, TotalExtractor)
        for number, orders in ((1, 10), (2, 20), (3, 35)):
            shop.orders.put(f"2025-01-0{number}", order(f"2025-01-0{number}", number))
            shop.totals.put(f"2025-01-0{number}", Total(orders=orders))

        first = run_command("smolqwery_extract", "--to", "2025-01-03")
        second = run_command("smolqwery_extract", "--to", "2025-01-03")

        assert first == (
            "order  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s\n"
            "total  2025-01-01 to 2025-01-03  3 rows  committed  0.0 s\n",
            "",
            0,
        )
        assert second == (
            "order  nothing new, exported to 2025-01-03\ntotal  nothing new, exported to 2025-01-03\n",
            "",
            0,
        )
        assert server.rows("order") == [
            {"timestamp": instant(f"2025-01-0{number}"), "number": number, "customer": None} for number in (1, 2, 3)
        ]
        assert warehouse.rows("order", "`timestamp`, `number`") == [
            (instant(f"2025-01-0{number}"), number) for number in (1, 2, 3)
        ]
        assert warehouse.ledger("`table_id`, `event`, SUM(`row_count`)", "GROUP BY 1, 2 ORDER BY 1, 2") == [
            ("order", "committed", 3),
            ("order", "prepared", 3),
            ("total", "committed", 3),
            ("total", "prepared", 3),
        ]
        assert [orders for _, orders in warehouse.rows("total_delta")] == [10, 10, 15]

    def test_bignumerics_and_records_come_back_as_they_went(
        self, make_faulty_warehouse: MakeWarehouse, run_command: RunCommand, server: FaultServer
    ) -> None:
        warehouse = make_faulty_warehouse(FundExtractor)

        result = run_command("smolqwery_extract", "--to", "2025-01-01")

        assert result == ("fund  2025-01-01  2 rows  committed  0.0 s\n", "", 0)
        expected = [asdict(fund) for fund in FUNDS]
        assert server.rows("fund") == expected
        found = warehouse.clients.bigquery.query(f"SELECT * FROM `{warehouse.name('fund')}` ORDER BY `timestamp`")
        assert [dict(row.items()) for row in found.result()] == expected


class TestStreams:
    def test_rows_are_the_tables_when_their_stream_is_committed(self, clients: Clients, server: FaultServer) -> None:
        stream = clients.finalized_stream(TABLE, batch(n=[1]), batch(n=[2, 3]))
        before = server.rows("t")

        first = clients.commit(TABLE, stream)
        second = clients.commit(TABLE, stream)

        assert (before, server.rows("t")) == ([], [{"n": 1}, {"n": 2}, {"n": 3}])
        assert first.commit_time == clients.write.get_write_stream(name=stream).commit_time
        assert error_codes(second) == ["STREAM_ALREADY_COMMITTED"]

    def test_all_are_committed_or_none(self, clients: Clients, server: FaultServer) -> None:
        sealed, unsealed = clients.finalized_stream(TABLE, batch(n=[1])), clients.pending_stream(TABLE).name
        unknown = f"{clients.parent(TABLE)}/streams/unknown"

        refused = clients.commit(TABLE, sealed, unsealed, unknown)
        clients.write.finalize_write_stream(name=unsealed)
        accepted = clients.commit(TABLE, sealed, unsealed)

        assert not refused.commit_time
        assert error_codes(refused) == ["INVALID_STREAM_STATE", "STREAM_NOT_FOUND"]
        assert accepted.commit_time
        assert server.rows("t") == [{"n": 1}]

    def test_an_offset_is_written_once_and_leaves_no_hole(self, clients: Clients) -> None:
        stream = clients.pending_stream(TABLE).name

        answers = [clients.append(stream, batch(n=[1, 2]), offset=offset)[0] for offset in (1, 0, 0, 2)]

        assert [answer.error.code for answer in answers] == [code_pb2.OUT_OF_RANGE, 0, code_pb2.ALREADY_EXISTS, 0]
        assert [detail(answer) for answer in answers] == ["OFFSET_OUT_OF_RANGE", None, "OFFSET_ALREADY_EXISTS", None]
        assert clients.write.finalize_write_stream(name=stream).row_count == 4

    def test_a_finalized_stream_takes_no_rows(self, clients: Clients) -> None:
        stream = clients.finalized_stream(TABLE, batch(n=[1]))

        (answer,) = clients.append(stream, batch(n=[2]), offset=1)

        assert (answer.error.code, detail(answer)) == (code_pb2.FAILED_PRECONDITION, "STREAM_FINALIZED")

    def test_a_table_made_again_does_not_know_them(self, clients: Clients, server: FaultServer) -> None:
        stream = clients.finalized_stream(TABLE, batch(n=[1]))
        created = clients.bigquery.get_table(TABLE).created
        clients.bigquery.delete_table(TABLE)
        clients.make_table(TABLE, field("n"))

        assert error_codes(clients.commit(TABLE, stream)) == ["STREAM_NOT_FOUND"]
        with pytest.raises(exceptions.NotFound):
            clients.append(stream, batch(n=[2]), offset=1)
        assert clients.bigquery.get_table(TABLE).created > created
        assert server.rows("t") == []

    def test_they_are_gone_after_24_hours(self, clients: Clients, server: FaultServer) -> None:
        early, late = (clients.finalized_stream(TABLE, batch(n=[n])) for n in (1, 2))

        server.clock.advance(hours=23, minutes=59)
        assert clients.commit(TABLE, early).commit_time
        server.clock.advance(minutes=1)

        assert error_codes(clients.commit(TABLE, early, late)) == ["STREAM_NOT_FOUND", "STREAM_NOT_FOUND"]
        assert server.rows("t") == [{"n": 1}]

    @pytest.mark.parametrize(
        ("column", "values", "message", "rows"),
        [
            (
                field("c"),
                pa.array([1, 2], pa.int32()),
                "Field c: Arrow type int32 is not one of a NULLABLE INTEGER",
                [],
            ),
            (field("c", **REQUIRED), [1, None], "Field c is REQUIRED and has no value", [1]),
            (field("c", mode="REPEATED"), [[1], None], "Field c is REPEATED and NULL instead of an empty list", [1]),
            (field("c", mode="REPEATED"), [[1, 2], [3, None]], "Field c is REPEATED and has a NULL element", [1]),
            (
                field("c", "NUMERIC", precision="3", scale="1"),
                pa.array([Decimal(1), Decimal("99.95")], pa.decimal128(38, 9)),
                "Field c does not fit NUMERIC(3, 1)",
                [1],
            ),
            (field("c", "JSON"), ["{}", "{"], "Field c is not JSON", [1]),
            (
                field("c", "RECORD", mode="REPEATED", fields=[field("d", **REQUIRED)]),
                [[{"d": 1}], [{"d": 1}, {"d": None}]],
                "Field c.d is REQUIRED and has no value",
                [1],
            ),
        ],
    )
    def test_rows_that_bigquery_does_not_take(
        self, clients: Clients, column: dict[str, Any], values: Any, message: str, rows: list[int]
    ) -> None:
        clients.make_table("d.c", column)

        (answer,) = clients.append(clients.pending_stream("d.c").name, batch(c=values))

        assert (answer.error.code, answer.error.message) == (code_pb2.INVALID_ARGUMENT, message)
        assert [error.index for error in answer.row_errors] == rows

    def test_columns_that_the_table_has_not(self, clients: Clients) -> None:
        (answer,) = clients.append(clients.pending_stream(TABLE).name, batch(n=[1], more=[2]))

        assert detail(answer) == "SCHEMA_MISMATCH_EXTRA_FIELDS"
        assert answer.error.message == "Input schema has more fields than BigQuery schema, extra fields: 'more'"

    def test_columns_that_the_rows_have_not(self, clients: Clients, server: FaultServer) -> None:
        nested = field("r", "RECORD", fields=[field("a"), field("b", mode="REPEATED")])
        clients.make_table("d.c", field("n"), field("l", mode="REPEATED"), nested)

        clients.commit("d.c", clients.finalized_stream("d.c", batch(n=[1]), batch(r=[{"a": 2}])))

        assert server.rows("c") == [
            {"n": 1, "l": [], "r": None},
            {"n": None, "l": [], "r": {"a": 2, "b": []}},
        ]


class TestJobs:
    def test_an_id_runs_once(self, clients: Clients, server: FaultServer) -> None:
        first = run_job(clients, f"INSERT INTO {TABLE} (n) VALUES (1)", "a")

        with pytest.raises(exceptions.Conflict):
            run_job(clients, f"INSERT INTO {TABLE} (n) VALUES (1)", "a")

        assert (first.num_dml_affected_rows, server.rows("t")) == (1, [{"n": 1}])

    def test_of_many_at_once_one_runs(self, clients: Clients, server: FaultServer) -> None:
        query = {"query": f"INSERT INTO {TABLE} (n) VALUES (1)", "useLegacySql": False}
        job = {"jobReference": {"jobId": "a"}, "configuration": {"query": query}}

        with ThreadPoolExecutor(6) as threads:
            answers = threads.map(lambda _: clients.http("POST", "jobs", job)[0], range(6))

        assert sorted(answers) == [200, 409, 409, 409, 409, 409]
        assert server.rows("t") == [{"n": 1}]

    def test_a_job_that_failed_keeps_its_id_and_its_error(self, clients: Clients) -> None:
        with pytest.raises(exceptions.BadRequest, match="nope"):
            run_job(clients, f"SELECT nope FROM {TABLE}", "a")

        assert clients.bigquery.get_job("a").error_result["reason"] == "invalidQuery"
        with pytest.raises(exceptions.Conflict):
            run_job(clients, "SELECT 1", "a")

    def test_a_table_that_is_missing(self, clients: Clients) -> None:
        with pytest.raises(exceptions.NotFound, match=r"example-project:d\.nothing"):
            clients.rows("SELECT * FROM d.nothing")
        with pytest.raises(exceptions.NotFound, match=r"d in location US"):
            clients.bigquery.query(f"SELECT * FROM {TABLE}", location="US", job_retry=None).result()

    def test_a_job_of_one_region_is_found_there_only(self, clients: Clients) -> None:
        clients.bigquery.query("SELECT 1", job_id="a", location="europe-west1", job_retry=None).result()

        assert clients.bigquery.get_job("a", location="europe-west1").state == "DONE"
        with pytest.raises(exceptions.NotFound):
            clients.bigquery.get_job("a")

    def test_a_table_expires_by_the_servers_clock(self, clients: Clients, server: FaultServer) -> None:
        table = bigquery.Table(f"{clients.bigquery.project}.d.staging", [bigquery.SchemaField("n", "INTEGER")])
        table.expires = server.clock.now() + timedelta(days=2)
        clients.bigquery.create_table(table)
        server.clock.advance(hours=47)
        assert clients.bigquery.get_table(table).expires == table.expires

        server.clock.advance(hours=1)

        with pytest.raises(exceptions.NotFound):
            clients.bigquery.get_table(table)
        clients.bigquery.create_table(table)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT `n`, `at` FROM UNNEST(@numbers) AS `n` WITH OFFSET AS `at`", [(7, 0), (8, 1)]),
        ("SELECT RANGE_BUCKET(`n`, @numbers) FROM UNNEST([6, 7, 8]) AS `n` ORDER BY 1", [(0,), (1,), (2,)]),
        ("SELECT 9 IN UNNEST(@numbers), @nothing, ARRAY_LENGTH(@empty)", [(False, None, 0)]),
        ("SELECT EXTRACT(DATE FROM @instant AT TIME ZONE 'America/New_York')", [(date(2024, 12, 31),)]),
        ("SELECT CURRENT_TIMESTAMP() >= @instant, @instant", [(True, datetime(2025, 1, 1, tzinfo=UTC))]),
        (
            "SELECT COUNTIF(`n` > 7), SUM(`n`), CAST(1.5 AS NUMERIC) FROM UNNEST(@numbers) AS `n`",
            [(1, 15, Decimal("1.5"))],
        ),
        ("SELECT STRUCT(1 AS `a`, [TRUE] AS `b`)", [({"a": 1, "b": [True]},)]),
    ],
)
def test_sql(clients: Clients, sql: str, expected: list[tuple[Any, ...]]) -> None:
    parameters = [
        bigquery.ArrayQueryParameter("numbers", "INT64", [7, 8]),
        bigquery.ArrayQueryParameter("empty", "STRING", []),
        bigquery.ScalarQueryParameter("nothing", "DATE", None),
        bigquery.ScalarQueryParameter("instant", "TIMESTAMP", datetime(2025, 1, 1, tzinfo=UTC)),
    ]
    config = bigquery.QueryJobConfig(query_parameters=parameters)

    found = clients.bigquery.query(sql, job_config=config, job_retry=None).result(page_size=1)

    assert [row.values() for row in found] == expected


def test_rows_are_exchanged_for_those_of_another_table(clients: Clients, server: FaultServer) -> None:
    clients.make_table("d.staging", field("n"))
    clients.rows(f"INSERT INTO {TABLE} (n) VALUES (1), (2), (3)")
    clients.rows("INSERT INTO d.staging (n) VALUES (20), (21)")

    job = clients.bigquery.query(
        f"MERGE `{TABLE}` AS `target` USING (SELECT `n` FROM `d.staging`) AS `staged` ON FALSE "
        "WHEN NOT MATCHED BY SOURCE AND `target`.`n` >= 2 THEN DELETE "
        "WHEN NOT MATCHED THEN INSERT (`n`) VALUES (`staged`.`n`)",
        job_retry=None,
    )
    job.result()

    assert (job.num_dml_affected_rows, server.rows("t")) == (4, [{"n": 1}, {"n": 20}, {"n": 21}])


def test_the_clock_is_the_tests(clients: Clients, server: FaultServer) -> None:
    server.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    clients.make_table("d.later", field("n"))
    server.clock.advance(hours=26)

    ((now,),) = clients.rows("SELECT CURRENT_TIMESTAMP()")

    made = clients.bigquery.get_table("d.later").created
    assert made.replace(microsecond=0) == datetime(2030, 1, 1, tzinfo=UTC)
    assert now.replace(microsecond=0) == datetime(2030, 1, 2, 2, tzinfo=UTC)


def test_nothing_is_left_when_it_stops() -> None:
    before = set(threading.enumerate())
    with FaultServer() as server, ThreadPoolExecutor(2) as threads:
        clients = clients_of(server.emulator)
        faults = [server.fail("open", with_="silence"), server.fail("insert job", with_="held")]
        opened = threads.submit(clients.write.create_write_stream, parent="projects/p/datasets/d/tables/t", retry=None)
        asked = threads.submit(clients.rows, "SELECT 1")
        for fault in faults:
            assert fault.reached.wait(30)
        server.script.stop()

        assert isinstance(opened.exception(30), exceptions.ServiceUnavailable)
        assert asked.result(30) == [(1,)]
        clients.write.transport.close()
        clients.bigquery.close()

    assert {thread for thread in threading.enumerate() if thread.name.startswith("faults")} <= before
