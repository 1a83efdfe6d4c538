"""One consistent view of a database, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, InternalError, OperationalError, ProgrammingError, connections, transaction

from exporter import ExtractionError
from exporter.errors import ConnectionLostError
from exporter.snapshot import lost_connection, snapshot
from flights.settings import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    MakeAlias = Callable[[str, dict[str, Any]], str]


def run(alias: str, sql: str) -> list[Any]:
    """The rows, if there are any, by their first column."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def isolation(alias: str) -> list[Any]:
    return run(alias, "SHOW transaction_isolation") + run(alias, "SHOW transaction_read_only")


def make_visits(make_alias: MakeAlias, configuration: dict[str, Any]) -> str:
    """Two connections to a database with a table of one row: `shop`, and `writer` beside it."""
    make_alias("writer", configuration)
    run("writer", "DROP TABLE IF EXISTS visits")
    run("writer", "CREATE TABLE visits (number integer)")
    run("writer", "INSERT INTO visits VALUES (1)")
    return make_alias("shop", configuration)


@pytest.fixture
def sqlite_shop(make_alias: MakeAlias, tmp_path: Path) -> str:
    return make_visits(make_alias, database(str(tmp_path / "shop.sqlite3")))


@pytest.fixture
def postgresql_shop(make_alias: MakeAlias, postgresql: dict[str, Any]) -> str:
    return make_visits(make_alias, postgresql)


@pytest.fixture(params=["sqlite_shop", "postgresql_shop"])
def shop(request: pytest.FixtureRequest) -> Iterator[str]:
    alias: str = request.getfixturevalue(request.param)
    yield alias
    assert not connections[alias].in_atomic_block


def test_rows_that_are_inserted_meanwhile_are_not_seen(shop: str) -> None:
    with snapshot(shop):
        counts = run(shop, "SELECT COUNT(*) FROM visits")
        run("writer", "INSERT INTO visits VALUES (2)")
        counts += run(shop, "SELECT COUNT(*) FROM visits")
    counts += run(shop, "SELECT COUNT(*) FROM visits")

    assert counts == [1, 1, 2]


def test_next_snapshot_sees_what_was_inserted(shop: str) -> None:
    counts = []
    for _ in range(3):
        with snapshot(shop):
            counts += run(shop, "SELECT COUNT(*) FROM visits")
        run("writer", "INSERT INTO visits VALUES (2)")

    assert counts == [1, 2, 3]


def test_what_is_raised_inside_is_raised(shop: str) -> None:
    with pytest.raises(LookupError, match="not today"), snapshot(shop):
        raise LookupError("not today")


def test_postgresql_reads_one_snapshot_and_only_reads(postgresql_shop: str) -> None:
    before = isolation(postgresql_shop)
    with snapshot(postgresql_shop):
        during = isolation(postgresql_shop)
    after = isolation(postgresql_shop)

    assert during == ["repeatable read", "on"]
    assert before == after == ["read committed", "off"]


def test_postgresql_refuses_to_write_inside(postgresql_shop: str) -> None:
    with (
        pytest.raises(InternalError, match=r"^cannot execute INSERT in a read-only transaction"),
        snapshot(postgresql_shop),
    ):
        run(postgresql_shop, "INSERT INTO visits VALUES (2)")

    assert run(postgresql_shop, "SELECT COUNT(*) FROM visits") == [1]


def test_postgresql_cursors_are_not_copied_first(postgresql_shop: str) -> None:
    with snapshot(postgresql_shop), connections[postgresql_shop].chunked_cursor() as cursor:
        cursor.execute("SELECT number FROM visits")
        holdable = run(postgresql_shop, "SELECT is_holdable FROM pg_cursors WHERE statement LIKE '%FROM visits'")

    assert holdable == [False]


def test_open_transaction_keeps_its_isolation_and_its_rows(postgresql_shop: str) -> None:
    with transaction.atomic(using=postgresql_shop):
        run(postgresql_shop, "INSERT INTO visits VALUES (2)")
        with snapshot(postgresql_shop):
            during = isolation(postgresql_shop) + run(postgresql_shop, "SELECT COUNT(*) FROM visits")
        run(postgresql_shop, "INSERT INTO visits VALUES (3)")

    assert during == ["read committed", "off", 2]
    assert run("writer", "SELECT COUNT(*) FROM visits") == [3]


def test_sqlite_keeps_what_is_written_inside(sqlite_shop: str) -> None:
    with snapshot(sqlite_shop):
        run(sqlite_shop, "INSERT INTO visits VALUES (2)")

    assert run("writer", "SELECT COUNT(*) FROM visits") == [2]


def test_statement_that_failed_inside_does_not_matter_afterwards(postgresql_shop: str) -> None:
    with snapshot(postgresql_shop), pytest.raises(ProgrammingError):
        run(postgresql_shop, "SELECT nothing FROM visits")

    with snapshot(postgresql_shop):
        assert run(postgresql_shop, "SELECT COUNT(*) FROM visits") == [1]


def test_connection_that_was_lost_inside_does_not_matter_afterwards(postgresql_shop: str) -> None:
    with snapshot(postgresql_shop):
        (backend,) = run(postgresql_shop, "SELECT pg_backend_pid()")
        run("writer", f"SELECT pg_terminate_backend({backend}, 5000)")
        with pytest.raises(OperationalError):
            run(postgresql_shop, "SELECT COUNT(*) FROM visits")

    with snapshot(postgresql_shop):
        assert run(postgresql_shop, "SELECT COUNT(*) FROM visits") == [1]


def terminate(alias: str) -> None:
    """The server's end of the connection."""
    (backend,) = run(alias, "SELECT pg_backend_pid()")
    run("writer", f"SELECT pg_terminate_backend({backend}, 5000)")


def test_connection_that_was_lost_before_may_be_had_again(postgresql_shop: str) -> None:
    terminate(postgresql_shop)

    with (
        pytest.raises(ConnectionLostError, match=r"^DATABASES\['shop'\]: cannot be read: terminating connection"),
        snapshot(postgresql_shop),
    ):
        pass

    with snapshot(postgresql_shop):
        assert run(postgresql_shop, "SELECT COUNT(*) FROM visits") == [1]


def run_on_a_lost_one(alias: str) -> None:
    terminate(alias)
    run(alias, "SELECT COUNT(*) FROM visits")


def test_what_a_lost_connection_raises_inside_says_so(postgresql_shop: str) -> None:
    with pytest.raises(ConnectionLostError) as refusal, snapshot(postgresql_shop):
        run_on_a_lost_one(postgresql_shop)

    assert str(refusal.value) == (
        "DATABASES['shop']: the connection to DATABASES['shop'] was lost: terminating connection due to administrator "
        "command.\n  Mend the database or its settings, then run the command again."
    )
    assert isinstance(refusal.value.__cause__, OperationalError)


def test_what_came_of_it_keeps_its_location(postgresql_shop: str) -> None:
    def extract() -> None:
        try:
            run_on_a_lost_one(postgresql_shop)
        except OperationalError as error:
            raise ExtractionError(location="VisitExtractor, 2025-01-01", problem="raised.", remedy="Mend.") from error

    lost = r"^VisitExtractor, 2025-01-01: the connection to "
    with pytest.raises(ConnectionLostError, match=lost), snapshot(postgresql_shop):
        extract()


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(60)", OperationalError),
        ("SELECT nothing FROM visits", ProgrammingError),
        ("INSERT INTO visits VALUES (2)", InternalError),
    ],
)
def test_statement_that_fails_on_a_connection_that_lives_is_not_a_lost_one(
    postgresql_shop: str, statement: str, kind: type[DatabaseError]
) -> None:
    with snapshot(postgresql_shop):
        with pytest.raises(kind) as failure:
            run(postgresql_shop, statement)
        lost = lost_connection(postgresql_shop, failure.value)

    assert not lost


def test_another_error_on_a_lost_connection_is_not_of_it(postgresql_shop: str) -> None:
    def extract() -> None:
        terminate(postgresql_shop)
        raise LookupError("no visits")

    with pytest.raises(LookupError, match="no visits"), snapshot(postgresql_shop):
        extract()


def test_sqlite_has_no_connection_to_lose(sqlite_shop: str) -> None:
    with pytest.raises(OperationalError, match="no such table: nowhere"), snapshot(sqlite_shop):
        run(sqlite_shop, "SELECT * FROM nowhere")


def test_a_database_without_autocommit_is_refused(make_alias: MakeAlias, postgresql: dict[str, Any]) -> None:
    make_alias("manual", postgresql | {"AUTOCOMMIT": False})

    with pytest.raises(ExtractionError) as refusal, snapshot("manual"):
        raise AssertionError("read")

    assert str(refusal.value) == (
        "DATABASES['manual']: AUTOCOMMIT is False: a transaction that Django has begun cannot become a snapshot.\n"
        "  Leave AUTOCOMMIT out, or name an alias without it in get_database()."
    )


def test_database_that_cannot_be_reached(make_alias: MakeAlias, tmp_path: Path) -> None:
    make_alias("away", database(str(tmp_path / "nowhere" / "shop.sqlite3")))

    with pytest.raises(ExtractionError) as refusal, snapshot("away"):
        pass

    assert str(refusal.value) == (
        "DATABASES['away']: cannot be read: unable to open database file.\n"
        "  Mend the database or its settings, then run the command again."
    )
    assert isinstance(refusal.value.__cause__, DatabaseError)


def test_server_that_cannot_be_reached(make_alias: MakeAlias, postgresql: dict[str, Any], tmp_path: Path) -> None:
    make_alias("away", postgresql | {"HOST": str(tmp_path)})

    with pytest.raises(ExtractionError) as refusal, snapshot("away"):
        pass

    assert str(refusal.value) == (
        "DATABASES['away']: cannot be read: connection is bad: connection to server on socket "
        f'"{tmp_path}/.s.PGSQL.5432" failed: No such file or directory '
        "Is the server running locally and accepting connections on that socket.\n"
        "  Mend the database or its settings, then run the command again."
    )


def test_without_databases_nothing_is_connected(make_alias: MakeAlias) -> None:
    make_alias("none", {"ENGINE": "django.db.backends.dummy"})

    with snapshot("none"):
        assert connections["none"].connection is None
