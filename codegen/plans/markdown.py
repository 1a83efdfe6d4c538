"""Text from a plan → Markdown that shows it and does nothing else.

All of it goes into code: there GitHub looks for no mention, reference, link or HTML, and nothing but a run of as many
backticks ends it. No value from a plan may reach a report in any other way.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from codegen.plans.sensitive import Sensitive

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 160
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BACKTICKS = re.compile("`+")


def code(text: object, most: int = _MOST) -> str:
    """A code span of one line. What is left out, and what cannot be seen, is said."""
    whole = str(text).lower() if isinstance(text, bool) else str(text)
    if isinstance(text, Sensitive):
        return whole
    if not whole:
        return "(empty)"
    shown = visible(whole[:most])
    is_cut = len(whole) > most or len(shown) > most
    shown = shown[:most] + "…" if is_cut else shown
    fence = "`" * (_longest_run(shown) + 1)
    # CommonMark takes one space from each end where both have one.
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}" + (f" ({len(whole):,} characters)" if is_cut else "")


def code_block(language: str, lines: Iterable[str], indent: str = "") -> str:
    """A fenced block, ending in a line feed; inside of a list its lines have the item's indent."""
    shown = [visible(line) for line in lines]
    fence = "`" * max(3, *(_longest_run(line) + 1 for line in shown), 3)
    return "".join(f"{indent}{line}\n" for line in (fence + language, *shown, fence))


def visible(text: str) -> str:
    """Controls, overrides of the direction, odd blanks and halves of characters as their escapes."""
    return "".join(character if _is_visible(character) else _escape(character) for character in text)


def counted(number: int, noun: str, plural: str = "") -> str:
    """1 table, 2 tables."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(parts: Iterable[str]) -> str:
    """A, b and c."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def capitalized(text: str) -> str:
    """str.capitalize() would put the rest into lower case."""
    return text[:1].upper() + text[1:]


def _is_visible(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def _escape(character: str) -> str:
    # As Python and Terraform write them.
    return _NAMED.get(character) or f"\\u{ord(character):04x}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
