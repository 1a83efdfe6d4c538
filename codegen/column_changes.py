"""The columns of a table as they were and as they are → what changed, nested columns included.

As the google provider decides about a schema, in `resourceBigQueryTableSchemaIsChangeable`: by names, whatever their
order. It knows two answers, an update in place and a table made anew; what BigQuery says to the update is here too.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from codegen.change import Change, Loss
from codegen.digits import holds_as_much
from exporter.annotations import Mode, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exporter.schema import Column

# What BigQuery widens in place, and the provider would not.
_WIDENED = {
    (Type.INTEGER, Type.NUMERIC): "NUMERIC",
    (Type.INTEGER, Type.BIGNUMERIC): "BIGNUMERIC",
    (Type.INTEGER, Type.FLOAT): "FLOAT64",
    (Type.NUMERIC, Type.BIGNUMERIC): "BIGNUMERIC",
    (Type.NUMERIC, Type.FLOAT): "FLOAT64",
}


def column_changes(
    old: Sequence[Column],
    new: Sequence[Column],
    *,
    table: str,
    bound: Mapping[str, str] = MappingProxyType({}),
    outer: str = "",
) -> Iterator[Change]:
    """`table` is its path in SQL; `bound` are names of columns that it was `partitioned` or `clustered` by, with that
    word; `outer` is the dotted path of a RECORD of these columns.
    """
    before, after = {column.name: column for column in old}, {column.name: column for column in new}
    added = [column for column in new if column.name not in before]
    dropped = [column for column in old if column.name not in after]
    heirs = {column.name: heir for column in dropped if (heir := _heir(column, added))}
    for column in dropped:
        if outer:
            yield _gone(column, heirs.get(column.name), f"{outer}.{column.name}", Loss.replaced)
        elif added:
            yield _replaced_by(column, heirs.get(column.name), added, table=table, bound=bound.get(column.name, ""))
        elif bound.get(column.name) == "clustered":
            yield _clustered_by(column)
        else:
            yield _gone(column, None, column.name, Loss.dropped)
    for column in new:
        path = f"{outer}.{column.name}" if outer else column.name
        if column.name in before:
            yield from _changed(before[column.name], column, table=table, path=path)
        else:
            yield _added(column, path, is_heir=column in heirs.values())


def described(column: Column) -> str:
    """`NULLABLE NUMERIC(10, 2)`."""
    digits = "" if column.precision is None else f"({column.precision}, {column.scale or 0})"
    return f"{column.mode} {column.type}{digits}"


def _heir(column: Column, added: Sequence[Column]) -> Column | None:
    """The new column that may be the old one under another name."""
    for other in added:
        if other.name.lower() == column.name.lower():
            return other
    alike = [other for other in added if described(other) == described(column)]
    return alike[0] if len(alike) == 1 else None


def _gone(column: Column, heir: Column | None, path: str, loss: Loss) -> Change:
    way_out = f"Keep {path} in the dataclass; where it has no values any more, make it optional and yield None."
    return Change(place=f"column {path}", text=_farewell(column, heir), loss=loss, ways_out=(way_out,))


def _farewell(column: Column, heir: Column | None) -> str:
    text = f"was {described(column)}, is gone"
    if heir is None:
        return text
    if heir.name.lower() == column.name.lower():
        return f"{text}, and {heir.name} is new: only the case differs, which queries do not see"
    return f"{text}, and {heir.name} is new, {described(heir)}: it looks like a rename"


def _replaced_by(column: Column, heir: Column | None, added: Sequence[Column], *, table: str, bound: str) -> Change:
    """The provider cannot tell this from a rename, and does neither in place."""
    text = _farewell(column, heir)
    if heir is None:
        text += f", while {', '.join(other.name for other in added)} {'is' if len(added) == 1 else 'are'} new"
        way_out = f"Keep {column.name} in the dataclass, and add other columns in a plan that drops none."
    elif heir.name.lower() == column.name.lower():
        way_out = f"Name it {column.name} again."
    elif bound:
        # ALTER TABLE … RENAME COLUMN takes neither.
        first = f"Leave {column.name} out of get_clustering_fields() first, and apply"
        instead = first if bound == "clustered" else f"Keep the name {column.name}"
        way_out = f"{instead}: BigQuery renames no column that the table is {bound} by."
    else:
        way_out = (
            f"Rename it in BigQuery first, ALTER TABLE `{table}` RENAME COLUMN `{column.name}` TO `{heir.name}`, in "
            "every deployment; then run codegen with --allow-breaking, and the plan finds nothing to replace."
        )
    return Change(place=f"column {column.name}", text=text, loss=Loss.replaced, ways_out=(way_out,))


def _clustered_by(column: Column) -> Change:
    way_out = f"Leave {column.name} out of get_clustering_fields() first, and apply: BigQuery drops no such column."
    return Change(
        place=f"column {column.name}",
        text=f"was {described(column)}, which the table is clustered by, is gone",
        loss=Loss.refused,
        ways_out=(way_out,),
    )


def _added(column: Column, path: str, *, is_heir: bool) -> Change:
    text = f"is new, {described(column)}"
    if column.mode is not Mode.REQUIRED:
        # Also a RECORD with REQUIRED columns in it: those BigQuery takes where the RECORD is new.
        return Change(place=f"column {path}", text=text)
    way_out = f"Make {path} optional (`… | None`): the rows that are there have no value for it."
    return Change(place=f"column {path}", text=text, loss=Loss.replaced, ways_out=() if is_heir else (way_out,))


def _changed(old: Column, new: Column, *, table: str, path: str) -> Iterator[Change]:
    place = f"column {path}"
    if described(old) != described(new):
        loss = _loss(old, new)
        ways_out = _ways_out(old, new, table=table, path=path) if loss else ()
        text = f"was {described(old)}, is {described(new)}"
        yield Change(place=place, text=text, loss=loss, ways_out=tuple(ways_out))
    if old.description != new.description:
        which = "another" if old.description and new.description else "a" if new.description else "no"
        yield Change(place=place, text=f"has {which} description")
    if old.policy_tags != new.policy_tags:
        yield Change(place=place, text=_policy_tags(old.policy_tags, new.policy_tags))
    if old.type is new.type:
        yield from column_changes(old.fields, new.fields, table=table, outer=path)


def _loss(old: Column, new: Column) -> Loss | None:
    if old.type is not new.type:
        return Loss.replaced
    if old.mode is not new.mode and (old.mode, new.mode) != (Mode.REQUIRED, Mode.NULLABLE):
        # The provider walks a column's properties in Go's random order, and ends at `fields` with what it finds there.
        return Loss.replaced_or_refused if old.type is Type.RECORD else Loss.replaced
    return None if holds_as_much(old, new) else Loss.refused


def _ways_out(old: Column, new: Column, *, table: str, path: str) -> Iterator[str]:
    widened = _WIDENED.get((old.type, new.type))
    if widened and new.precision is None and old.mode is new.mode is not Mode.REPEATED and "." not in path:
        yield (
            f"Let BigQuery widen {path} in place, ALTER TABLE `{table}` ALTER COLUMN `{path}` SET DATA TYPE {widened}, "
            "in every deployment; then run codegen with --allow-breaking, and the plan finds nothing to replace."
        )
    if old.type is new.type and old.mode is Mode.NULLABLE and new.mode is Mode.REQUIRED:
        yield f"Leave {path} optional: an extractor may still yield a value in every row."


def _policy_tags(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    if not new:
        return f"has no policy tag, and had {', '.join(old)}: who may read the table may read it"
    return f"has policy tag {', '.join(new)}" + (f", and had {', '.join(old)}" if old else "")
