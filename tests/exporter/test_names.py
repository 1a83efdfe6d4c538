"""Names → accepted, or the reason why not."""

from __future__ import annotations

import pytest

from exporter.names import (
    column_name_problem,
    dataset_name_problem,
    delta_view_name,
    snake_case,
    table_name_problem,
)


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("User", "user"),
        ("User2", "user_2"),  # as smolqwery names it: a table keeps its name
        ("EmailMessage", "email_message"),
        ("HTTPRequest", "http_request"),
        ("HTTPRequest2", "http_request_2"),
        ("OrderHTTP", "order_http"),
        ("User_Stats", "user_stats"),
        ("user", "user"),
        ("A", "a"),
        ("_Private", "private"),
    ],
)
def test_table_is_named_after_its_dataclass(class_name: str, expected: str) -> None:
    assert snake_case(class_name) == expected


def test_delta_view_is_named_after_its_table() -> None:
    assert delta_view_name("user") == "user_delta"


@pytest.mark.parametrize("name", ["a", "_a", "A1", "type", "row", "sinks", "order", "group", "x" * 300, "table_x"])
def test_column_name_is_accepted(name: str) -> None:
    assert column_name_problem(name) is None


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "größe", "\uff41", "a\n", "x" * 301, None, 3])
def test_column_name_is_refused(name: object) -> None:
    assert column_name_problem(name) == (
        f"{name!r} is not a column name. BigQuery takes ASCII letters, digits and _, at most 300, no digit first"
    )


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("_table_suffix", "_TABLE_"),
        ("_TABLE_", "_TABLE_"),
        ("_file_name", "_FILE_"),
        ("_PARTITIONTIME", "_PARTITION"),
        ("_partitiondate", "_PARTITION"),
        ("_row_timestamp", "_ROW_TIMESTAMP"),
        ("__root__x", "__ROOT__"),
        ("_colIdentifier_1", "_COLIDENTIFIER"),
        ("_CHANGE_SEQUENCE_NUMBER", "_CHANGE_SEQUENCE_NUMBER"),
        ("_change_type", "_CHANGE_TYPE"),
        ("_change_timestamp", "_CHANGE_TIMESTAMP"),
    ],
)
def test_reserved_column_name_is_refused(name: str, prefix: str) -> None:
    assert column_name_problem(name) == f"{name!r} begins with {prefix}, which BigQuery keeps for itself"


@pytest.mark.parametrize("name", ["user", "_user", "User2", "order", "x" * 200])
def test_table_name_is_accepted(name: str) -> None:
    assert table_name_problem(name) is None


@pytest.mark.parametrize("name", ["", "2user", "user-2", "shop.user", "prénom", "a\n", "x" * 201, None])
def test_table_name_is_refused(name: object) -> None:
    assert table_name_problem(name) == (
        f"{name!r} is not a table name. Use ASCII letters, digits and _, at most 200, no digit first"
    )


@pytest.mark.parametrize("name", ["exporter_ledger", "Exporter_Ledger"])
def test_table_name_of_the_exporter_itself_is_refused(name: str) -> None:
    assert table_name_problem(name) == f"{name!r} is the name of the exporter's own table in Terraform"


@pytest.mark.parametrize("name", ["statistics", "2025", "_x", "x" * 1000])
def test_dataset_name_is_accepted(name: str) -> None:
    assert dataset_name_problem(name) is None


@pytest.mark.parametrize("name", ["", "a-b", "a.b", "a b", "données", "a\n", "x" * 1001])
def test_dataset_name_is_refused(name: str) -> None:
    assert dataset_name_problem(name) == (
        f"{name!r} is not a dataset name. BigQuery takes ASCII letters, digits and _, at most 1,000 here"
    )
