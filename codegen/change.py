"""What is different between the warehouse of the last run and the new one, and what that would cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Loss(StrEnum):
    """Who would refuse a change, or what would be lost by it."""

    replaced = "The google provider would replace the table: destroy it with its rows, and make it anew."
    replaced_or_refused = (
        "The google provider would replace the table, destroy it with its rows and make it anew; or overlook this, as "
        "it may with a RECORD, and BigQuery would refuse it when it is applied."
    )
    refused = "The plan would say that the table is updated, and BigQuery would refuse that when it is applied."
    dropped = (
        "The plan would say that the table is updated, and BigQuery would drop the column and all that is in it when "
        "it is applied."
    )
    rebuilt = "The google provider would replace the dataset, and the exporter's: destroy them with all their tables."
    destroyed = "Terraform would destroy the table with its rows."
    clashing = "Neither BigQuery nor Terraform takes a name twice."


ALLOWABLE = frozenset(Loss) - {Loss.destroyed, Loss.clashing}
"""With these, Terraform that says what the extractors say can be rendered, and still protects the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference."""

    place: str = ""
    """The column with its dotted path, or another part of the table; empty: the table itself."""
    text: str
    """What goes on after the place: `was INTEGER, is STRING`."""
    loss: Loss | None = None
    """None: safe."""
    ways_out: tuple[str, ...] = ()
    note: str = ""
    """Lines that belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A table, a view or the dataset, and its changes."""

    title: str
    """As in `table user`."""
    source: str = ""
    """The dotted path of its extractor, where it has one."""
    name: str
    """What --allow-breaking calls it."""
    changes: tuple[Change, ...]

    @property
    def losses(self) -> frozenset[Loss]:
        return frozenset(change.loss for change in self.changes if change.loss)
