"""Any two schemas: what codegen says, what the provider would do, as its source has it, and what would be lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codegen.change import Change, Loss
from codegen.column_changes import column_changes
from codegen.introspect import Table, Warehouse
from codegen.render import render
from codegen.schema_file import columns_in
from exporter.annotations import Mode, Type
from exporter.schema import Column
from terraform.stand_in_provider.table_schema import is_changeable, is_same_schema

Columns = tuple[Column, ...]

REPLACED = {Loss.replaced, Loss.replaced_or_refused}
# Few of each, so that two schemas have much in common; `a` and `A` are two columns to Terraform.
NAMES = ("a", "A", "b", "c")
DIGITS: tuple[tuple[int | None, int | None], ...] = ((None, None), (10, 2), (12, 2), (10, 4))


@st.composite
def one_column(draw: st.DrawFn, name: str, depth: int) -> Column:
    types = [Type.INTEGER, Type.NUMERIC, Type.STRING, *([Type.RECORD] * (depth > 0))]
    column_type = draw(st.sampled_from(types))
    precision, scale = draw(st.sampled_from(DIGITS)) if column_type is Type.NUMERIC else (None, None)
    return Column(
        name=name,
        type=column_type,
        mode=draw(st.sampled_from(Mode)),
        description=draw(st.sampled_from(["", "One.", "Two."])),
        policy_tags=draw(st.sampled_from([(), ("tag",), ("tag", "other")])),
        precision=precision,
        scale=scale,
        python_type=None,
        fields=draw(schemas(depth - 1)) if column_type is Type.RECORD else (),
    )


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Columns:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique_by=str.lower))
    return tuple(draw(one_column(name, depth)) for name in names)


@st.composite
def edited(draw: st.DrawFn, columns: Columns, depth: int = 2) -> Columns:
    """As somebody edits a dataclass: most of it stays."""
    edits = ("stays", "stays", "stays", "goes", "other", "mode", "description", "tags", "digits", "inside")
    after = []
    for column in columns:
        what = draw(st.sampled_from(edits))
        if what == "other":
            after.append(draw(one_column(column.name, depth)))
        elif what == "mode":
            after.append(replace(column, mode=draw(st.sampled_from(Mode))))
        elif what == "description":
            after.append(replace(column, description="New."))
        elif what == "tags":
            after.append(replace(column, policy_tags=("new",)))
        elif what == "digits" and column.type is Type.NUMERIC:
            precision, scale = draw(st.sampled_from(DIGITS))
            after.append(replace(column, precision=precision, scale=scale))
        elif what == "inside" and column.fields:
            after.append(replace(column, fields=draw(edited(column.fields, depth - 1))))
        elif what != "goes":
            after.append(column)
    free = [name for name in NAMES if name.lower() not in {column.name.lower() for column in after}]
    if free and (not after or draw(st.booleans())):
        after.append(draw(one_column(draw(st.sampled_from(free)), depth)))
    return tuple(draw(st.permutations(after)))


pairs = schemas().flatmap(lambda old: st.tuples(st.just(old), st.one_of(edited(old), edited(old), schemas())))


@st.composite
def numeric(draw: st.DrawFn) -> Column:
    scale = draw(st.integers(0, 9))
    precision = draw(st.integers(max(1, scale), scale + 29))
    return Column(name="a", type=Type.NUMERIC, mode=Mode.NULLABLE, precision=precision, scale=scale, python_type=None)


def digits(column: Column) -> tuple[int, int]:
    """Before and after the point."""
    precision, scale = (column.precision, column.scale or 0) if column.precision else (38, 9)
    return precision - scale, scale


def compared(old: Columns, new: Columns) -> list[Change]:
    return list(column_changes(old, new, table="shop.user"))


def schema_json(columns: Columns) -> list[dict[str, Any]]:
    """As codegen renders them."""
    table = Table(
        name="user", source="x", description="", columns=columns, partitioning=None, clustering=(), delta_view=None
    )
    warehouse = Warehouse(dataset="shop", location="EU", acl_groups=(), reader_groups=(), tables=(table,))
    parsed: list[dict[str, Any]] = json.loads(render(warehouse)["schemas/user.json"])
    return parsed


def provider_updates_in_place(old: list[dict[str, Any]], new: list[dict[str, Any]], *, top: bool = True) -> bool:
    """resourceBigQueryTableSchemaIsChangeable of google 7.45, for tables without row access policies.

    Without its accident: there a RECORD's mode is looked at or not, as Go's maps have their order.
    """
    before, after = ({column["name"]: column for column in columns} for columns in (old, new))
    if any(column["mode"] == "REQUIRED" for name, column in after.items() if name not in before):
        return False
    kept = before.keys() & after.keys()
    for name in kept:
        one, other = before[name], after[name]
        if one["type"] != other["type"]:
            return False
        if one["mode"] != other["mode"] and (one["mode"], other["mode"]) != ("REQUIRED", "NULLABLE"):
            return False
        if "fields" in one and not provider_updates_in_place(one["fields"], other["fields"], top=False):
            return False
    dropped, added = len(old) - len(kept), len(new) - len(kept)
    return dropped == 0 or (top and added == 0)


def values_that_fit_no_more(old: Columns, new: Columns) -> bool:
    """Whether a decimal, at any depth, lost digits."""
    after = {column.name: column for column in new}
    return any(
        digits(after[column.name])[0] < digits(column)[0]
        or digits(after[column.name])[1] < digits(column)[1]
        or values_that_fit_no_more(column.fields, after[column.name].fields)
        for column in old
        if column.name in after
    )


@given(pair=pairs)
def test_what_the_provider_replaces_is_what_codegen_says_it_replaces(pair: tuple[Columns, Columns]) -> None:
    old, new = map(schema_json, pair)

    replaced = any(change.loss in REPLACED for change in compared(*pair))

    assert replaced == (not provider_updates_in_place(old, new))
    assert replaced == (not is_changeable(old, new))


@given(pair=pairs)
def test_only_what_loses_nothing_is_safe(pair: tuple[Columns, Columns]) -> None:
    old, new = map(schema_json, pair)
    keeps_columns = {column["name"] for column in old} <= {column["name"] for column in new}

    safe = all(change.loss is None for change in compared(*pair))

    assert safe == (keeps_columns and provider_updates_in_place(old, new) and not values_that_fit_no_more(*pair))


@given(old=numeric(), new=numeric(), nested=st.booleans())
def test_a_decimal_may_grow_on_both_sides_of_the_point(old: Column, new: Column, *, nested: bool) -> None:
    def inside(column: Column) -> Column:
        return replace(column, name="r", type=Type.RECORD, precision=None, scale=None, fields=(column,))

    pair = ((inside(old),), (inside(new),)) if nested else ((old,), (new,))

    refused = [change.loss for change in compared(*pair) if change.loss]

    fits = digits(old)[0] <= digits(new)[0] and digits(old)[1] <= digits(new)[1]
    assert refused == ([] if fits else [Loss.refused])


@given(pair=pairs)
def test_there_is_a_change_where_the_provider_finds_one(pair: tuple[Columns, Columns]) -> None:
    assert bool(compared(*pair)) != is_same_schema(*map(schema_json, pair))


@given(pair=pairs)
def test_the_way_back_touches_the_same_columns(pair: tuple[Columns, Columns]) -> None:
    there, back = compared(*pair), compared(*reversed(pair))

    assert sorted(change.place for change in there) == sorted(change.place for change in back)


@given(columns=schemas(), data=st.data())
def test_the_order_of_columns_means_nothing(columns: Columns, data: st.DataObject) -> None:
    def shuffled(columns: Columns) -> Columns:
        inside = [replace(column, fields=shuffled(column.fields)) for column in columns]
        return tuple(data.draw(st.permutations(inside)))

    assert compared(columns, shuffled(columns)) == []


@given(columns=schemas())
def test_what_codegen_wrote_it_reads(columns: Columns) -> None:
    assert compared(columns_in(Path("user.json"), schema_json(columns)), columns) == []
    assert columns_in(Path("user.json"), schema_json(columns)) == columns
