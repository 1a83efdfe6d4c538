"""Values of a resource, and marks of the same shape → what is at a path, and at which paths two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Step = str | int


def at(tree: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        if tree is True:
            return True
        if isinstance(tree, dict) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def has_true(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(map(has_true, marks.values()))
    if isinstance(marks, list):
        return any(map(has_true, marks))
    return marks is True


def changed_paths(old: Any, new: Any, unknown: Any, path: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    # Absent, null and empty are one, as in differs().
    if unknown is True:
        yield path
    elif isinstance(old or {}, dict) and isinstance(new or {}, dict) and isinstance(unknown or {}, dict):
        old, new, unknown = old or {}, new or {}, unknown or {}
        for name in sorted({*old, *new, *unknown}):
            yield from changed_paths(old.get(name), new.get(name), unknown.get(name), (*path, name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        marks = unknown if isinstance(unknown, list) and len(unknown) == len(new) else [None] * len(new)
        for index, (one, other, mark) in enumerate(zip(old, new, marks, strict=True)):
            yield from changed_paths(one, other, mark, (*path, index))
    elif (old or None) != (new or None) or has_true(unknown):
        yield path
