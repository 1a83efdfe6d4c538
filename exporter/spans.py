"""Spans of days of the ledger, as ledger_tables.READ tells them → what is known of each table."""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from exporter.days import ONE_DAY
from exporter.entries import Replacement, TableLedger, units_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

Span: TypeAlias = "Mapping[str, Any]"

_LIVE = ("adopted", "committed", "prepared")


def known_of_tables(spans: Iterable[Span]) -> dict[tuple[str, datetime], TableLedger]:
    """By table and creation time; a table of which no day is known is left out."""
    tables: dict[tuple[str, datetime], dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for span in sorted(spans, key=itemgetter("first_day")):
        tables[span["table_id"], span["table_created"]][span["state"]].append(span)
    return {key: _known(key, by_state) for key, by_state in tables.items() if by_state.keys() & {*_LIVE, "abandoned"}}


def _known(table: tuple[str, datetime], spans: Mapping[str, list[Span]]) -> TableLedger:
    live = sorted((span for state in _LIVE for span in spans.get(state, ())), key=itemgetter("first_day"))
    days = [*live, *spans.get("abandoned", ())]
    # Each adopted day is a span: what was in the table before the last one is not counted, and none begins before it.
    adopted_day = max((span["last_day"] for span in spans.get("adopted", ())), default=None)
    first_day = adopted_day or min(span["first_day"] for span in days)
    replacements = [span for state in ("replaced", "expired", "replacing") for span in spans.get(state, ())]
    return TableLedger(
        first_day=first_day,
        head=_head(first_day, live),
        adopted_day=adopted_day,
        rows=sum(span["rows_of_days"] for span in live if span["first_day"] >= first_day),
        time_zone=max(span["time_zone"] for span in days if span["first_day"] >= first_day),
        in_doubt=tuple(units_of(*table, map(_entry, spans.get("prepared", ())))),
        abandoned={span["first_day"]: span["generation"] for span in spans.get("abandoned", ())},
        replacements=max((span["generation"] for span in replacements), default=0),
        undone=_replacement(*table, list(map(_entry, spans.get("replacing", ())))),
        replaced_days=sum(span["days"] for span in spans.get("replaced", ())),
    )


def _head(first_day: date, live: Iterable[Span]) -> date | None:
    head = None
    for span in live:
        if span["first_day"] == (first_day if head is None else head + ONE_DAY):
            head = span["last_day"]
    return head


def _entry(span: Span) -> Mapping[str, Any]:
    """The row of the ledger that a span of one day is."""
    return {**span, "day": span["first_day"], "streams": span["streams"].split(",")}


def _replacement(table_id: str, table_created: datetime, rows: Sequence[Mapping[str, Any]]) -> Replacement | None:
    if not rows:
        return None
    # One at a time, unless a ledger was lost meanwhile: then the first of them is done first.
    number = min(row["generation"] for row in rows)
    rows = [row for row in rows if row["generation"] == number]
    (staging,) = rows[0]["streams"]
    return Replacement(
        table_id=table_id,
        table_created=table_created,
        days=tuple(row["day"] for row in rows),
        row_counts=tuple(row["row_count"] for row in rows),
        number=number,
        staging=staging,
        run_id=rows[0]["run_id"],
    )
