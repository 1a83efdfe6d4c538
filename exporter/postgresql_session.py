"""A session of PostgreSQL's → all that SQL in it depends on, beside its transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from exporter.statements import RowsNeededError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[..., list[Any]]
    """SQL and its parameters → rows."""

# Last, what was SET since the connection was made, by Django or by a receiver of a signal: time zone, search path,
# timeouts. Without it the same SQL could read something else.
_SESSION = """
SELECT
  session_user::text,
  current_setting('role'),
  current_setting('TimeZone'),
  EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
  current_setting('extra_float_digits')::int,
  (SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'),
  (
    SELECT json_object_agg(name, setting)::text FROM pg_settings
    WHERE source = 'session' AND name NOT LIKE 'transaction%%' AND name <> 'client_encoding'
  )
"""

# Settings of a team's own (a tenant, for row level security) are in no list. They matter where somebody asks for them:
# a policy, a view, a function.
_OWN_SETTINGS = """
SELECT DISTINCT (regexp_matches(
  asked, 'current_setting(?:"?\\s*\\(\\s*''([^'']*)''(?:::text)?\\s*[,)])?', 'gi'
))[1]
FROM (
  SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
  WHERE p.prokind IN ('f', 'p') AND l.lanname NOT IN ('c', 'internal')
    AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  UNION ALL SELECT qual FROM pg_policies
  UNION ALL SELECT definition FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
) AS sources (asked)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """As it is now."""

    user: str
    """Whose rights it began with."""
    role: str
    """Whose rights it has; `none`: its user's."""
    time_zone: str
    temporary: bool
    """Whether it has tables or views of its own."""
    float_digits: int
    lock_milliseconds: int
    """How long it waits for a lock; 0: for ever."""
    settings: tuple[tuple[str, str], ...]
    """That were SET, by name."""
    own_names: tuple[str, ...]
    """Of settings of a team's own that were looked at."""

    @classmethod
    def of(cls, ask: Ask, own_names: Sequence[str]) -> Self:
        ((user, role, time_zone, temporary, float_digits, lock_milliseconds, settings),) = ask(_SESSION)
        found: dict[str, str] = json.loads(settings or "{}")
        if own_names:
            (values,) = ask(f"SELECT {', '.join(['current_setting(%s, true)'] * len(own_names))}", *own_names)
            found |= {name: value for name, value in zip(own_names, values, strict=True) if value is not None}
        return cls(
            user=user,
            role=role,
            time_zone=time_zone,
            temporary=temporary,
            float_digits=float_digits,
            lock_milliseconds=lock_milliseconds,
            settings=tuple(sorted(found.items())),
            own_names=tuple(own_names),
        )


def names_asked_for(ask: Ask) -> Sequence[str]:
    """Of settings of a team's own. Raises RowsNeededError: somebody asks for one whose name is computed."""
    names = [name for (name,) in ask(_OWN_SETTINGS)]
    if None in names:
        raise RowsNeededError("a function, view or policy asks for a setting whose name it computes")
    return [name for name in names if "." in name]  # the others are PostgreSQL's, which are in its list
