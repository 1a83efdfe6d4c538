"""What a table's schema cannot say, as it was and as it is → what changed: partitioning, clustering, the delta view."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from codegen.change import Change, Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.introspect import Partitioning, Table


def layout_changes(old: Table, new: Table) -> Iterator[Change]:
    """Of partitioning and clustering."""
    yield from _partitioning(old.partitioning, new.partitioning)
    if old.clustering != new.clustering:
        # The rows stay; BigQuery sorts those that come, and the older ones when it gets round to it.
        yield Change(place="clustering", text=f"was {_listed(old.clustering)}, is {_listed(new.clustering)}")


def view_changes(old: Table, new: Table) -> Iterator[Change]:
    """Of the delta view. It holds no rows, so none are lost; those who query it may notice."""
    if old.delta_view and not new.delta_view:
        yield Change(text="is removed; it holds no rows")
    elif new.delta_view and not old.delta_view:
        yield Change(text="is new")
    elif new.delta_view and (_columns(old), old.delta_view) != (_columns(new), new.delta_view):
        yield Change(text=f"is {', '.join(_columns(new))}, and was {', '.join(_columns(old))}; it holds no rows")


def _columns(table: Table) -> list[str]:
    return [f"the difference of {column.name}" if column.differentiate else column.name for column in table.columns]


def _partitioning(old: Partitioning | None, new: Partitioning | None) -> Iterator[Change]:
    if _described(old) != _described(new):
        # The provider makes a table anew for another field, and not for another type, which BigQuery cannot change.
        moved = (old and old.field) != (new and new.field)
        yield Change(
            place="partitioning",
            text=f"was {_described(old)}, is {_described(new)}",
            loss=Loss.replaced if moved else Loss.refused,
        )
    elif old and new and old.expiration_ms != new.expiration_ms:
        shorter = new.expiration_ms is not None and (old.expiration_ms is None or new.expiration_ms < old.expiration_ms)
        # Said and not refused: to delete is what an expiration is for.
        deleted = "; BigQuery deletes the partitions that are older when it is applied" * shorter
        text = f"was {_age(old.expiration_ms)}, is {_age(new.expiration_ms)}{deleted}"
        yield Change(place="partition expiration", text=text)


def _described(partitioning: Partitioning | None) -> str:
    return f"by {partitioning.type} of {partitioning.field}" if partitioning else "none"


def _age(milliseconds: int | None) -> str:
    return "none" if milliseconds is None else str(timedelta(milliseconds=milliseconds)).removesuffix(", 0:00:00")


def _listed(names: tuple[str, ...]) -> str:
    return f"by {', '.join(names)}" if names else "none"
