"""Values that Terraform marks as sensitive → objects that compare like them, and show nothing of them."""

from __future__ import annotations

from typing import Any


class Sensitive:
    """In every text it is (sensitive), so no report shows one by mistake. What has to be decided asks revealed()."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sensitive) and bool(self._value == other._value)

    __hash__ = None  # type: ignore[assignment] # as unhashable as what it may hold

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "(sensitive)"


def with_secrets(value: Any, marks: Any) -> Any:
    """`marks` has the shape of the value and True where it is sensitive, possibly for a whole part."""
    if isinstance(value, dict):
        return {name: with_secrets(part, _mark(marks, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [with_secrets(part, _mark(marks, index)) for index, part in enumerate(value)]
    return Sensitive(value) if marks is True and value is not None else value


def revealed(value: Any) -> Any:
    """For a decision. Never for a text."""
    if isinstance(value, Sensitive):
        return value._value  # noqa: SLF001 - the one place that looks inside
    if isinstance(value, list):
        return [revealed(part) for part in value]
    return {name: revealed(part) for name, part in value.items()} if isinstance(value, dict) else value


def _mark(marks: Any, step: str | int) -> Any:
    if marks is True:
        return True
    if isinstance(marks, dict):
        return marks.get(step)
    return marks[step] if isinstance(marks, list) and isinstance(step, int) and step < len(marks) else None
