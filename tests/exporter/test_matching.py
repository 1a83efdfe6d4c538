"""A table's columns in the dataclass and in BigQuery → errors that stop an export, and notices."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from exporter import TableError, sq_field
from exporter.matching import match_columns
from exporter.metadata import Field
from exporter.schema import columns_of

APPLY = "Run `make codegen` and apply Terraform, or deploy the code that fits the table."
REMOVE = "Add the field to the dataclass, or make the column NULLABLE with Terraform."


@dataclass
class Leg:
    miles: int
    gate: str | None


@dataclass
class Trip:
    timestamp: datetime
    fare: Decimal | None
    legs: list[Leg]


def field(
    name: str, kind: str, mode: str = "NULLABLE", *fields: Field, precision: int | None = None, scale: int | None = None
) -> Field:
    return Field(name=name, type=kind, mode=mode, precision=precision, scale=scale, fields=fields)


LEGS = field("legs", "RECORD", "REPEATED", field("miles", "INTEGER", "REQUIRED"), field("gate", "STRING"))
TRIP = (field("timestamp", "TIMESTAMP", "REQUIRED"), field("fare", "NUMERIC"), LEGS)


def match(row_class: type, *fields: Field) -> list[str]:
    return match_columns("p.d.trip", columns_of(row_class), fields)


def refused(row_class: type, *fields: Field) -> str:
    with pytest.raises(TableError) as refusal:
        match(row_class, *fields)
    return str(refusal.value)


def row_of(annotation: Any, **options: Any) -> type:
    return make_dataclass("Row", [("value", annotation, sq_field(**options))])


def test_equal_columns_match() -> None:
    assert match(Trip, *TRIP) == []


def test_order_and_case_of_names_do_not_matter() -> None:
    assert match(Trip, LEGS, field("Fare", "NUMERIC"), field("TIMESTAMP", "TIMESTAMP", "REQUIRED")) == []


@pytest.mark.parametrize(
    ("annotation", "alias"),
    [
        (bool, "BOOL"),
        (int, "INT64"),
        (float, "FLOAT64"),
        (Decimal, "DECIMAL"),
        (Leg, "STRUCT"),
        (str, "string"),
    ],
)
def test_aliases_are_the_same_type(annotation: Any, alias: str) -> None:
    inner = LEGS.fields if annotation is Leg else ()

    assert match(row_of(annotation), field("value", alias, "REQUIRED", *inner)) == []


@pytest.mark.parametrize(
    ("annotation", "options", "given"),
    [
        # tables change first, code second: a looser mode there is fine
        (int, {}, field("value", "INTEGER", "NULLABLE")),
        (int | None, {}, field("value", "INTEGER", "NULLABLE")),
        (list[int], {}, field("value", "INTEGER", "REPEATED")),
        # so are more digits
        (Decimal, {"precision": 10, "scale": 2}, field("value", "NUMERIC")),
        (Decimal, {"precision": 10, "scale": 2}, field("value", "NUMERIC", precision=12, scale=4)),
        (Decimal, {"precision": 10, "scale": 2}, field("value", "NUMERIC", precision=10, scale=2)),
        (Decimal, {"precision": 10}, field("value", "NUMERIC", precision=10)),
        (Decimal, {}, field("value", "NUMERIC", precision=38, scale=9)),
        (Decimal, {"precision": 76, "scale": 38}, field("value", "BIGNUMERIC")),
    ],
)
def test_looser_column_matches(annotation: Any, options: dict[str, Any], given: Field) -> None:
    assert match(row_of(annotation, **options), given) == []


@pytest.mark.parametrize(
    ("annotation", "options", "given", "theirs", "ours"),
    [
        (int, {}, field("value", "STRING", "REQUIRED"), "REQUIRED STRING", "REQUIRED INTEGER"),
        (int | None, {}, field("value", "INT64", "REQUIRED"), "REQUIRED INTEGER", "NULLABLE INTEGER"),
        (list[int], {}, field("value", "INTEGER"), "NULLABLE INTEGER", "REPEATED INTEGER"),
        (int, {}, field("value", "INTEGER", "REPEATED"), "REPEATED INTEGER", "REQUIRED INTEGER"),
        (datetime, {}, field("value", "DATETIME"), "NULLABLE DATETIME", "REQUIRED TIMESTAMP"),
        (dict, {}, field("value", "STRING"), "NULLABLE STRING", "REQUIRED JSON"),
        (
            Decimal,
            {"precision": 76, "scale": 38},
            field("value", "NUMERIC"),
            "NULLABLE NUMERIC",
            "REQUIRED BIGNUMERIC(76, 38)",
        ),
        (Decimal, {}, field("value", "NUMERIC", precision=10, scale=2), "NUMERIC(10, 2)", "REQUIRED NUMERIC"),
        (Decimal, {}, field("value", "NUMERIC", precision=29), "NUMERIC(29, 0)", "REQUIRED NUMERIC"),
        (
            Decimal,
            {"precision": 10, "scale": 2},
            field("value", "NUMERIC", precision=10, scale=3),
            "NUMERIC(10, 3)",
            "REQUIRED NUMERIC(10, 2)",
        ),
        (
            Decimal,
            {"precision": 10, "scale": 2},
            field("value", "NUMERIC", precision=10, scale=1),
            "NUMERIC(10, 1)",
            "REQUIRED NUMERIC(10, 2)",
        ),
    ],
)
def test_column_of_another_type_or_stricter_is_an_error(
    annotation: Any, options: dict[str, Any], given: Field, theirs: str, ours: str
) -> None:
    assert refused(row_of(annotation, **options), given) == (
        f"p.d.trip, column value: {theirs} in BigQuery; the dataclass has {ours}.\n  {APPLY}"
    )


NEW_TABLE = (
    "BigQuery does not change a column's type. Export into a new table: a new dataclass name, or get_table_name(), "
    "gives one."
)


def test_all_columns_that_smolqwery_made_of_another_type_are_named_at_once() -> None:
    """They need a new table; what else does not fit can wait for that."""
    row_class = make_dataclass(
        "Row",
        [("timestamp", datetime), ("visits", int), ("active", bool), ("seen", datetime | None), ("born", date)],
    )
    fields = (
        field("timestamp", "DATE", "REQUIRED"),
        field("visits", "STRING", "REQUIRED"),
        field("Active", "INT64", "REQUIRED"),
        field("seen", "DATE"),
        field("born", "DATE", "REQUIRED"),
    )

    assert refused(row_class, *fields) == (
        "p.d.trip, columns timestamp, active, seen: DATE, INTEGER, DATE in BigQuery, as smolqwery makes bool and "
        f"datetime; the dataclass has TIMESTAMP, BOOLEAN, TIMESTAMP.\n  {NEW_TABLE}"
    )


def test_one_column_that_smolqwery_made_of_another_type() -> None:
    assert refused(row_of(bool), field("value", "INTEGER", "REQUIRED")) == (
        "p.d.trip, column value: INTEGER in BigQuery, as smolqwery makes bool and datetime; "
        f"the dataclass has BOOLEAN.\n  {NEW_TABLE}"
    )


def test_column_that_bigquery_has_not_is_an_error() -> None:
    assert refused(Trip, field("timestamp", "TIMESTAMP", "REQUIRED"), LEGS) == (
        f"p.d.trip, column fare: not in BigQuery; the dataclass has it as NULLABLE NUMERIC.\n  {APPLY}"
    )


def test_column_of_a_record_that_bigquery_has_not_is_an_error() -> None:
    legs = field("legs", "RECORD", "REPEATED", field("miles", "INTEGER"))

    assert refused(Trip, *TRIP[:2], legs) == (
        f"p.d.trip, column legs.gate: not in BigQuery; the dataclass has it as NULLABLE STRING.\n  {APPLY}"
    )


def test_extra_required_column_is_an_error() -> None:
    assert refused(Trip, *TRIP, field("carrier", "STRING", "REQUIRED")) == (
        f"p.d.trip, column carrier: REQUIRED STRING in BigQuery, and the dataclass does not have it.\n  {REMOVE}"
    )


def test_extra_required_column_of_a_record_is_an_error() -> None:
    legs = field("legs", "RECORD", "REPEATED", *LEGS.fields, field("seat", "STRING", "REQUIRED"))

    assert refused(Trip, *TRIP[:2], legs) == (
        f"p.d.trip, column legs.seat: REQUIRED STRING in BigQuery, and the dataclass does not have it.\n  {REMOVE}"
    )


def test_other_extra_columns_are_notices() -> None:
    legs = field("legs", "RECORD", "REPEATED", *LEGS.fields, field("seat", "STRING"))

    notices = match(Trip, *TRIP[:2], legs, field("carrier", "STRING"), field("tags", "STRING", "REPEATED"))

    assert notices == [
        "p.d.trip, column legs.seat: only in BigQuery, it stays NULL.",
        "p.d.trip, column carrier: only in BigQuery, it stays NULL.",
        "p.d.trip, column tags: only in BigQuery, it stays empty.",
    ]
