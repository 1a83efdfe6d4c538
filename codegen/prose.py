"""Text from people → what a page shows: the same characters, none of which does anything."""

from __future__ import annotations

import re
import unicodedata

# Line separators, and what turns the direction of the text around it.
_UNSEEN = frozenset("\u2028\u2029\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\`*[]~$"}
    # As entities: a backslash before | is one that a table takes away, and not every Markdown reads \< as <.
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
)
# Within a word it begins no emphasis, and column names are full of it.
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_SPACES = re.compile(r"[ \t]+")
# What begins a heading, a list or a rule at the start of a line, and nothing elsewhere.
_BLOCK_START = re.compile(r"^(\d*)([-+=#.)])")


def visible(text: str) -> str:
    """In lines. What has no shape is written as its number, so that a reader sees it and it turns no text around."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_numbered(character) if _is_unseen(character) else character for character in lines)


def markdown(text: str) -> str:
    """On one line of Markdown, in a table or outside."""
    lines = [_SPACES.sub(" ", line).strip(" ") for line in visible(text).strip(" \t\n").split("\n")]
    escaped = "<br>".join(_UNDERSCORE.sub(r"\\_", line.translate(_MARKDOWN)) for line in lines)
    return _BLOCK_START.sub(r"\1\\\2", escaped)


def _is_unseen(character: str) -> bool:
    return character in _UNSEEN or (unicodedata.category(character) == "Cc" and character not in "\n\t")


def _numbered(character: str) -> str:
    return f"\\u{ord(character):04x}"
