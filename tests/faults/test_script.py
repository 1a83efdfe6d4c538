"""Each word of the script, seen through Google's own clients."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import bigquery
from google.rpc import code_pb2

from emulator.clients import batch
from faults.answers import detail, error_codes, run_job
from faults.script import FOREVER, Fault, Script

if TYPE_CHECKING:
    from emulator.clients import Clients
    from faults.server import FaultServer

TABLE = "d.t"
INSERT = f"INSERT INTO {TABLE} (n) VALUES (1)"
SECONDS = 30.0
RETRY = bigquery.DEFAULT_RETRY.with_timeout(SECONDS)
NO_RETRY = bigquery.DEFAULT_RETRY.with_predicate(lambda _: False)


class TestCounting:
    def test_the_nth_call_and_those_after_it(self) -> None:
        script = Script()
        fault = script.add(Fault(step="open", what="UNAVAILABLE", nth=2, times=2))

        met = [script.call("open") for _ in range(5)]

        assert met == [None, fault, fault, None, None]
        assert (script.count("open"), script.unused()) == (5, [])

    def test_one_after_the_other(self) -> None:
        script = Script()
        first = script.add(Fault(step="open", what="UNAVAILABLE"))
        second = script.add(Fault(step="open", what="INTERNAL", nth=2))

        assert [script.call("open") for _ in range(4)] == [first, None, second, None]

    def test_of_the_calls_that_fit(self) -> None:
        script = Script()
        fault = script.add(Fault(step="insert job", what="dropped", job="smolqwery-prepare-", statement="INSERT"))

        assert script.call("insert job", job="smolqwery-merge-1", statement="INSERT") is None
        assert script.call("insert job", job="smolqwery-prepare-1", statement="MERGE") is None
        assert script.call("insert job", job=None, statement="INSERT") is None
        assert script.call("insert job", job="smolqwery-prepare-1", statement="INSERT") is fault

    def test_of_one_table(self) -> None:
        script = Script()
        for table in ("order", "total", "order", None):
            script.call("commit", table=table)

        assert (script.count("commit"), script.count("commit", table="order"), script.count("open")) == (4, 2, 0)

    def test_what_was_not_met_is_named(self) -> None:
        script = Script()
        script.add(Fault(step="commit", what="reply lost", nth=3, times=2))
        for _ in range(3):
            script.call("commit")

        assert script.unused() == ["commit, with reply lost, of call 3, 2 times: reached 1 times"]

    def test_forever_is_until_it_is_ended(self) -> None:
        script = Script()
        fault = script.add(Fault(step="open", what="UNAVAILABLE", times=FOREVER))
        before = script.unused()
        met = [script.call("open") for _ in range(3)]

        fault.end()

        assert (before, met, script.call("open")) == (
            ["open, with UNAVAILABLE, of call 1, forever: reached 0 times"],
            [fault] * 3,
            None,
        )
        assert script.unused() == []

    def test_a_word_that_the_step_has_not(self, server: FaultServer) -> None:
        with pytest.raises(ValueError, match=r"^open cannot fail with 'row errors': ABORTED, "):
            server.fail("open", with_="row errors")


class TestAppend:
    @pytest.mark.parametrize(("word", "taken"), [("break before", 3), ("break after", 4)])
    def test_a_break_with_replies_in_flight(self, clients: Clients, server: FaultServer, word: str, taken: int) -> None:
        server.fail("append", nth=4, with_=word, unanswered=2)
        stream = clients.pending_stream(TABLE).name
        received = []

        with pytest.raises(exceptions.ServiceUnavailable):  # noqa: PT012 - the first reply or a later one
            for answer in clients.write.append_rows(clients.requests(stream, *_rows(6)), retry=None, timeout=SECONDS):
                received.append(answer.append_result.offset)  # noqa: PERF401 - until it breaks

        assert received in ([], [0])
        assert clients.write.finalize_write_stream(name=stream).row_count == taken

    def test_the_first_request_breaks_with_another_status(self, clients: Clients, server: FaultServer) -> None:
        server.fail("append", with_="break before", code="ABORTED")

        with pytest.raises(exceptions.Aborted):
            clients.append(clients.pending_stream(TABLE).name, batch(n=[1]))

    @pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "INTERNAL", "OUT_OF_RANGE", "PERMISSION_DENIED"])
    def test_an_error_in_a_reply(self, clients: Clients, server: FaultServer, code: str) -> None:
        server.fail("append", nth=2, with_=code)
        stream = clients.pending_stream(TABLE).name

        answers = clients.append(stream, *_rows(3))

        hole = code_pb2.OUT_OF_RANGE
        assert [answer.error.code for answer in answers] == [0, code_pb2.Code.Value(code), hole]
        assert clients.write.finalize_write_stream(name=stream).row_count == 1

    def test_already_exists_says_so_of_rows_that_it_took(self, clients: Clients, server: FaultServer) -> None:
        server.fail("append", with_="ALREADY_EXISTS")
        stream = clients.pending_stream(TABLE).name

        (answer,) = clients.append(stream, batch(n=[1]))

        assert (answer.error.code, detail(answer)) == (code_pb2.ALREADY_EXISTS, "OFFSET_ALREADY_EXISTS")
        assert clients.write.finalize_write_stream(name=stream).row_count == 1

    def test_row_errors(self, clients: Clients, server: FaultServer) -> None:
        server.fail("append", with_="row errors", rows=7)

        (answer,) = clients.append(clients.pending_stream(TABLE).name, batch(n=[1]))

        assert (answer.error.code, [error.index for error in answer.row_errors]) == (code_pb2.INVALID_ARGUMENT, [7])

    @pytest.mark.parametrize(("word", "taken"), [("silence", 0), ("late", 1), ("held", 0)])
    def test_no_reply_before_the_deadline(self, clients: Clients, server: FaultServer, word: str, taken: int) -> None:
        server.fail("append", with_=word)
        stream = clients.pending_stream(TABLE).name

        with pytest.raises(exceptions.DeadlineExceeded):
            list(clients.write.append_rows(clients.requests(stream, batch(n=[1])), retry=None, timeout=1))

        assert clients.write.finalize_write_stream(name=stream).row_count == taken


class TestUnaryCalls:
    def test_unavailable_on_opening(self, clients: Clients, server: FaultServer) -> None:
        server.fail("open", with_="UNAVAILABLE", table="t")

        with pytest.raises(exceptions.ServiceUnavailable):
            clients.write.create_write_stream(parent=clients.parent(TABLE), retry=None)

        assert clients.pending_stream(TABLE).name

    def test_a_stream_that_is_not_known_everywhere_yet(self, clients: Clients, server: FaultServer) -> None:
        stream = clients.pending_stream(TABLE).name
        server.fail("get stream", with_="NOT_FOUND", times=2)

        for _ in range(2):
            with pytest.raises(exceptions.NotFound):
                clients.write.get_write_stream(name=stream)

        assert clients.write.get_write_stream(name=stream).name == stream

    def test_finalize_counts_other_rows(self, clients: Clients, server: FaultServer) -> None:
        server.fail("finalize", with_="other count", rows=-1)
        stream = clients.pending_stream(TABLE).name
        clients.append(stream, batch(n=[1, 2]))

        assert clients.write.finalize_write_stream(name=stream).row_count == 1
        assert clients.write.finalize_write_stream(name=stream).row_count == 2

    def test_a_commit_whose_reply_is_lost(self, clients: Clients, server: FaultServer) -> None:
        server.fail("commit", with_="reply lost")
        stream = clients.finalized_stream(TABLE, batch(n=[1]))

        with pytest.raises(exceptions.ServiceUnavailable):
            clients.commit(TABLE, stream)

        assert server.rows("t") == [{"n": 1}]
        assert error_codes(clients.commit(TABLE, stream)) == ["STREAM_ALREADY_COMMITTED"]

    @pytest.mark.parametrize("code", ["STREAM_ALREADY_COMMITTED", "INVALID_STREAM_STATE", "STREAM_NOT_FOUND"])
    def test_stream_errors_in_a_successful_reply(self, clients: Clients, server: FaultServer, code: str) -> None:
        server.fail("commit", with_=code)
        stream = clients.finalized_stream(TABLE, batch(n=[1]))

        refused = clients.commit(TABLE, stream)

        assert (error_codes(refused), bool(refused.commit_time), server.rows("t")) == ([code], False, [])
        assert clients.commit(TABLE, stream).commit_time

    def test_a_commit_that_does_not_say_when(self, clients: Clients, server: FaultServer) -> None:
        server.fail("commit", with_="no commit time")

        refused = clients.commit(TABLE, clients.finalized_stream(TABLE, batch(n=[1])))

        assert (error_codes(refused), bool(refused.commit_time), server.rows("t")) == ([], False, [])

    def test_a_commit_that_is_applied_when_its_client_has_left(self, clients: Clients, server: FaultServer) -> None:
        held = server.fail("commit", with_="held")
        stream = clients.finalized_stream(TABLE, batch(n=[1]))
        request = {"parent": clients.parent(TABLE), "write_streams": [stream]}

        with pytest.raises(exceptions.DeadlineExceeded):
            clients.write.batch_commit_write_streams(request, retry=None, timeout=1)
        assert server.rows("t") == []
        held.release()

        assert error_codes(clients.commit(TABLE, stream)) in ([], ["STREAM_ALREADY_COMMITTED"])
        assert server.rows("t") == [{"n": 1}]

    def test_something_else_happens_first(self, clients: Clients, server: FaultServer) -> None:
        stream = clients.finalized_stream(TABLE, batch(n=[1]))
        server.fail("commit", with_="as usual", do=server.streams.forget)

        assert error_codes(clients.commit(TABLE, stream)) == ["STREAM_NOT_FOUND"]


class TestRest:
    @pytest.mark.parametrize(("word", "times"), [("HTTP 500", 2), ("HTTP 503", 2), ("dropped", 1), ("reply lost", 1)])
    def test_what_clients_retry(self, clients: Clients, server: FaultServer, word: str, times: int) -> None:
        server.fail("table", with_=word, times=times)

        assert clients.bigquery.get_table(TABLE, retry=RETRY).num_rows == 0
        assert server.script.count("table") == times + 1

    def test_no_answer(self, clients: Clients, server: FaultServer) -> None:
        server.fail("table", with_="silence")

        with pytest.raises(requests.exceptions.ReadTimeout):
            clients.bigquery.get_table(TABLE, retry=NO_RETRY, timeout=1)

    @pytest.mark.parametrize(("word", "rows"), [("dropped", []), ("reply lost", [{"n": 1}])])
    def test_a_lost_insert_of_a_job(
        self, clients: Clients, server: FaultServer, word: str, rows: list[dict[str, int]]
    ) -> None:
        server.fail("insert job", job="prepare-", with_=word)

        with pytest.raises(requests.exceptions.ConnectionError):
            clients.bigquery.query(INSERT, job_id="prepare-1", job_retry=None, retry=NO_RETRY)

        assert server.rows("t") == rows
        assert server.jobs.ids() == ["prepare-1"][: len(rows)]

    def test_an_id_that_another_run_has_taken(self, clients: Clients, server: FaultServer) -> None:
        server.fail("insert job", with_="taken", parameters={"n": 2, "all": [3, 4]})

        with pytest.raises(exceptions.Conflict):
            _insert_parameters(clients, "a")

        assert server.rows("t") == [{"n": 2}, {"n": 3}, {"n": 4}]
        assert clients.bigquery.get_job("a").state == "DONE"

    def test_an_id_that_another_run_has_taken_and_is_still_running(self, clients: Clients, server: FaultServer) -> None:
        server.fail("insert job", with_="taken", polls=3)
        with pytest.raises(exceptions.Conflict):
            _insert_parameters(clients, "a")

        job = clients.bigquery.get_job("a")
        assert isinstance(job, bigquery.QueryJob)
        before = job.state, server.rows("t")
        job.result(timeout=SECONDS)

        assert before == ("RUNNING", [])
        assert (job.state, job.num_dml_affected_rows, server.rows("t")) == ("DONE", 2, [{"n": 1}, {"n": 1}])

    def test_an_id_that_another_run_has_taken_and_failed_with(self, clients: Clients, server: FaultServer) -> None:
        server.fail("insert job", with_="taken", reason="quotaExceeded")
        with pytest.raises(exceptions.Conflict):
            run_job(clients, INSERT, "a")

        with pytest.raises(exceptions.Forbidden):
            clients.bigquery.get_job("a").result()
        assert server.rows("t") == []

    def test_a_job_that_fails(self, clients: Clients, server: FaultServer) -> None:
        server.fail("insert job", statement="INSERT", with_="fails")

        with pytest.raises(exceptions.BadRequest):
            run_job(clients, INSERT, "a")
        run_job(clients, INSERT, "b")

        assert clients.bigquery.get_job("a").error_result["message"] == "as the test says"
        assert server.rows("t") == [{"n": 1}]

    def test_a_job_that_runs_long_is_done_when_it_was_asked_for_often_enough(
        self, clients: Clients, server: FaultServer
    ) -> None:
        server.fail("insert job", with_="runs long", polls=4)

        assert run_job(clients, INSERT, "a").num_dml_affected_rows == 1
        assert server.rows("t") == [{"n": 1}]

    def test_a_job_that_runs_long_outlives_who_began_it(self, clients: Clients, server: FaultServer) -> None:
        server.fail("insert job", with_="runs long", polls=100)
        clients.bigquery.query(INSERT, job_id="a", job_retry=None)
        before = server.rows("t")

        server.jobs.finish()

        assert (before, server.rows("t")) == ([], [{"n": 1}])
        assert clients.bigquery.get_job("a").state == "DONE"

    @pytest.mark.parametrize(("word", "rows"), [("held", []), ("late", [{"n": 1}])])
    def test_a_job_between_its_request_and_its_reply(
        self, clients: Clients, server: FaultServer, word: str, rows: list[dict[str, int]]
    ) -> None:
        fault = server.fail("insert job", with_=word)

        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(run_job, clients, INSERT, "a")
            assert fault.reached.wait(SECONDS)
            if word == "late":
                _wait_for_job(clients)
            before = server.rows("t")
            fault.release()

            assert answer.result(SECONDS).num_dml_affected_rows == 1
        assert before == rows
        assert server.rows("t") == [{"n": 1}]


def _rows(count: int) -> list[Any]:
    return [batch(n=[number]) for number in range(count)]


def _wait_for_job(clients: Clients) -> None:
    """BigQuery has it, though nobody was told."""
    clients.bigquery.get_job("a", retry=RETRY.with_predicate(lambda error: isinstance(error, exceptions.NotFound)))


def _insert_parameters(clients: Clients, job_id: str) -> None:
    parameters = [
        bigquery.ScalarQueryParameter("n", "INT64", 1),
        bigquery.ArrayQueryParameter("all", "INT64", [1]),
    ]
    sql = f"INSERT INTO {TABLE} (n) SELECT @n UNION ALL SELECT `one` FROM UNNEST(@all) AS `one`"
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    clients.bigquery.query(sql, job_config=config, job_id=job_id, job_retry=None)
