"""Sections of a report → one text within the length that GitHub takes, with what was left out counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.plans.markdown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# GitHub takes 65,536 characters. Bytes are at least as many, however it counts them; the rest is room for what a
# pipeline puts around a report.
LIMIT = 60_000
_NOTE_ROOM = 1_000
_WHOLE_PLAN = "`terraform show plan.bin` shows the whole plan."


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The same at three lengths, each with its line ends. Without a `shortest` it can be left out."""

    full: str
    short: str
    shortest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Nothing is shown of one without items. `end` is a paragraph below them."""

    title: str
    items: Sequence[Item]
    end: str = ""


def rationed(head: str, top: Sequence[Section], rest: Sequence[Section]) -> str:
    """`top` as long as it can be, all of it; of `rest` what finds room then."""
    room = LIMIT - _bytes(head) - _NOTE_ROOM
    first = _top(top, room)
    room -= _bytes(first)
    chosen = _chosen(rest, room)
    texts = [_shown(section.title, texts, section.end) for section, texts in zip(rest, chosen, strict=True)]
    note = _note(rest, chosen)
    return "\n".join(part for part in (f"{head}\n", note, first, *texts) if part)


def _top(sections: Sequence[Section], room: int) -> str:
    for length in ("full", "short"):
        texts = [[getattr(item, length) for item in section.items] for section in sections]
        shown = _joined(sections, texts)
        if _bytes(shown) <= room:
            return shown
    spare = room - _bytes(_joined(sections, [[item.shortest for item in section.items] for section in sections]))
    if spare >= 0:
        return _joined(sections, _lengthened(sections, spare))
    # Thousands of dangers: not even their addresses fit into a comment.
    cut = []
    for section in sections:
        kept = list(_fitting([item.shortest for item in section.items], (room - _NOTE_ROOM) // len(sections)))
        left = len(section.items) - len(kept)
        cut.append([*kept, f"- and {left:,} more, which no comment has room for. {_WHOLE_PLAN}\n"] if left else kept)
    return _joined(sections, cut)


def _lengthened(sections: Sequence[Section], spare: int) -> list[list[str]]:
    """Short from the front on as long as there is room, else at their shortest."""
    texts = []
    for section in sections:
        some = []
        for item in section.items:
            extra = max(0, _bytes(item.short) - _bytes(item.shortest))
            some.append(item.short if extra <= spare else item.shortest)
            spare -= extra if extra <= spare else 0
        texts.append(some)
    return texts


def _joined(sections: Sequence[Section], texts: Sequence[list[str]]) -> str:
    shown = (_shown(section.title, some, section.end) for section, some in zip(sections, texts, strict=True))
    return "\n".join(filter(None, shown))


def _shown(title: str, texts: Sequence[str], end: str) -> str:
    if not texts:
        return ""
    body = "".join(texts).rstrip("\n")
    return f"### {title}\n\n{body}\n" + (f"\n{end}\n" if end else "")


def _chosen(sections: Sequence[Section], room: int) -> list[list[str]]:
    """All short, if that fits, and from the front on in full; else short ones as long as there is room."""
    items = [item for section in sections for item in section.items]
    room -= sum(_bytes(_shown(section.title, ["-"], section.end)) + 1 for section in sections if section.items)
    spare = room - sum(min(_bytes(item.short), _bytes(item.full)) for item in items)
    chosen = []
    for section in sections:
        texts = []
        for item in section.items:
            short = min(item.short, item.full, key=_bytes)
            extra = _bytes(item.full) - _bytes(short)
            if extra <= spare:
                spare -= extra
                texts.append(item.full)
            elif _bytes(short) <= room:
                texts.append(short)
            else:
                continue
            room -= _bytes(texts[-1])
        chosen.append(texts)
    return chosen


def _fitting(texts: Sequence[str], room: int) -> Iterator[str]:
    for text in texts:
        room -= _bytes(text)
        if room < 0:
            return
        yield text


def _note(sections: Sequence[Section], chosen: Sequence[list[str]]) -> str:
    full = {item.full for section in sections for item in section.items}
    shown = [text for texts in chosen for text in texts]
    left_out = sum(len(section.items) for section in sections) - len(shown)
    shortened = sum(text not in full for text in shown)
    if not left_out and not shortened:
        return ""
    parts = [f"{counted(shortened, 'change is', 'changes are')} told in one line"] if shortened else []
    parts += [f"{counted(left_out, 'change is', 'changes are')} left out"] if left_out else []
    return (
        f"This plan is too long for a comment: below, {' and '.join(parts)}. "
        f"Nothing that stops it is among them. {_WHOLE_PLAN}\n"
    )


def _bytes(text: str) -> int:
    return len(text.encode())
