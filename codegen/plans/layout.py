"""How a table is stored, partitioning and clustering → words, and what BigQuery would refuse or delete."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from codegen.plans.change import UNKNOWN, Action
from codegen.plans.finding import Finding, Stop, loud, plain, stop
from codegen.plans.guards import duration, expiration_finding
from codegen.plans.markdown import code, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.plans.change import Change

LAYOUT = ("clustering", "expiration_time", "range_partitioning", "require_partition_filter", "time_partitioning")
_TIME, _RANGE = ("time_partitioning", 0), ("range_partitioning", 0)


def layout_findings(change: Change) -> Iterator[Finding]:
    if change.action is Action.create:
        yield from _new_layout(change)
        return
    yield from _partitioning(change)
    if change.action is Action.update and change.old(*_TIME) and change.new(*_TIME):
        yield from expiration_finding(change, "its partitions", *_TIME, "expiration_ms")
    if _is_filter_required(change.new) and not _is_filter_required(change.old):
        yield loud("a query must say which partitions it reads from then on: queries that do not, fail")
    elif _is_filter_required(change.old) and not _is_filter_required(change.new):
        yield plain("a query need no longer say which partitions it reads")
    if change.differs("clustering"):
        yield plain(f"clustered by {_columns(change, old=False)} instead of {_columns(change, old=True)}")
    if change.action is Action.update:
        yield from _expiration_of_the_table(change)


def _new_layout(change: Change) -> Iterator[Finding]:
    if change.new(*_TIME) or change.new(*_RANGE):
        yield plain(f"partitioned by {_described(change.new)}")
    expiration = change.new(*_TIME, "expiration_ms")
    if expiration and expiration is not UNKNOWN:
        yield plain(f"its partitions expire after {duration(expiration)}")
    if change.new("clustering"):
        yield plain(f"clustered by {_columns(change, old=False)}")


def _partitioning(change: Change) -> Iterator[Finding]:
    before, after = (_key(get) for get in (change.old, change.new))
    if before == after:
        return
    text = f"partitioned by {_described(change.new)} instead of {_described(change.old)}"
    # The provider replaces a table over another column, and takes the rest for an update.
    yield (
        plain(text)
        if change.action is Action.replace
        else stop(Stop.refused, f"{text}. BigQuery refuses that, and the apply fails")
    )


def _key(get: Any) -> tuple[Any, ...]:
    """What BigQuery cannot change about a partitioning. Another spelling of nothing is no change."""
    time, by_range = get(*_TIME), get(*_RANGE)
    by_time = (get(*_TIME, "type"), get(*_TIME, "field") or None) if time else None
    return by_time, (get(*_RANGE, "field"), str(get(*_RANGE, "range", 0))) if by_range else None


def _described(get: Any) -> str:
    if get(*_RANGE):
        bounds = [str(get(*_RANGE, "range", 0, name)) for name in ("start", "end", "interval")]
        return f"ranges of {_name(get(*_RANGE, 'field'))}, {code('{} to {} by {}'.format(*bounds))}"
    if get(*_TIME):
        field = get(*_TIME, "field")
        return f"{_name(get(*_TIME, 'type'))} of {_name(field) if field else 'the time of loading'}"
    return "nothing"


def _name(value: Any) -> str:
    return "(known after apply)" if value is UNKNOWN else code(value)


def _columns(change: Change, *, old: bool) -> str:
    columns = change.old("clustering") if old else change.new("clustering")
    if change.is_sensitive("clustering") or not isinstance(columns, list) or not columns:
        return (change.show_old if old else change.show_new)("clustering") if columns else "nothing"
    return listed(map(code, columns))


def _is_filter_required(get: Any) -> bool:
    return bool(get("require_partition_filter") or get(*_TIME, "require_partition_filter"))


def _expiration_of_the_table(change: Change) -> Iterator[Finding]:
    """An instant, in milliseconds since 1970."""
    if not change.differs("expiration_time"):
        return
    old, new = change.old("expiration_time"), change.new("expiration_time")
    if not new:
        yield plain("it no longer expires")
    elif isinstance(old, (int, float)) and isinstance(new, (int, float)) and 0 < old < new:
        yield plain(f"it expires later: {_instant(old)} → {_instant(new)}")
    else:
        when = "an instant that is known after the apply only" if new is UNKNOWN else _instant(new)
        yield stop(Stop.rows_expire, f"BigQuery deletes it, with all its rows, at {when}")


def _instant(milliseconds: object) -> str:
    try:
        instant = datetime.fromtimestamp(float(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return code(milliseconds)
    return f"{instant:%Y-%m-%d %H:%M} UTC"
