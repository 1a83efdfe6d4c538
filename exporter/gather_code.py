"""The columns of a row dataclass → the text of a function that gathers their values, compiled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from exporter.annotations import Mode, Type
from exporter.texts import to_json
from exporter.values import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exporter.schema import Column

MADE = frozenset({Type.TIMESTAMP, Type.JSON, Type.BYTES})
"""Their values are made from those of the row; all others are taken as they are."""


class GatherCode:
    """`gather(rows, keep, sinks)`. Names in it are fields of dataclasses, so they are identifiers."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._names: dict[str, Any] = {"EPOCH": EPOCH, "require": _require, "frozen": _frozen}
        self._sinks = 0
        self._variables = 0

    def compile(self) -> Callable[[Iterator[object], Callable[[object], None], list[Callable[[Any], None]]], None]:
        sinks = "".join(f"s{number}, " for number in range(self._sinks))
        lines = ["def gather(rows, keep, sinks):", f"    {sinks}= sinks", "    for row in rows:", *self._lines]
        exec("\n".join(lines), self._names)  # noqa: S102 - built from field names alone, as dataclasses does
        gather: Callable[..., None] = self._names["gather"]
        return gather

    def row_class(self, row_class: type) -> None:
        self._line(8, "keep(row)")
        self._type_check(8, "row", row_class)

    def column(self, column: Column, owner: str, indent: int) -> None:
        value = f"{owner}.{column.name}"
        if column.mode is Mode.REPEATED:
            self._repeated(column, value, indent)
        elif column.type is Type.RECORD:
            self._record(column, value, indent)
        else:
            self._line(indent, f"{self._sink()}({self._scalar(column, value, indent)})")

    def _scalar(self, column: Column, value: str, indent: int) -> str:
        if column.type not in MADE:
            return value
        variable = self._assign(indent, value)
        element = self._element(column, variable)
        return f"None if {variable} is None else {element}" if column.mode is Mode.NULLABLE else element

    def _element(self, column: Column, value: str) -> str:
        if column.type is Type.TIMESTAMP:
            return f"{value} - EPOCH"  # a third of the time of Arrow's own conversion, and refuses naive datetimes
        if column.type is Type.JSON:
            return f"{self._name(partial(to_json, column))}({value})"
        return f"{value} if type({value}) is bytes else frozen({value})"

    def _repeated(self, column: Column, value: str, indent: int) -> None:
        variable = self._assign(indent, value)
        self._type_check(indent, variable, (list, tuple))
        self._line(indent, f"{self._sink()}(len({variable}))")
        if column.type is Type.RECORD:
            element = self._variable()
            self._line(indent, f"for {element} in {variable}:")
            self._type_check(indent + 4, element, column.python_type)
            for child in column.fields:
                self.column(child, element, indent + 4)
        elif column.type in MADE:
            element = self._variable()
            self._line(indent, f"for {element} in {variable}:")
            self._line(indent + 4, f"{self._sink()}({self._element(column, element)})")
        else:
            self._line(indent, f"{self._sink()}({variable})")

    def _record(self, column: Column, value: str, indent: int) -> None:
        variable = self._assign(indent, value)
        if column.mode is Mode.REQUIRED:
            self._type_check(indent, variable, column.python_type)
            for child in column.fields:
                self.column(child, variable, indent)
            return
        present, first = self._sink(), self._sinks
        self._line(indent, f"if {variable} is not None:")
        self._type_check(indent + 4, variable, column.python_type)
        self._line(indent + 4, f"{present}(True)")
        for child in column.fields:
            self.column(child, variable, indent + 4)
        self._line(indent, "else:")
        self._line(indent + 4, f"{present}(False)")
        self._sinks = first  # the same sinks once more, now with nothing
        for child in column.fields:
            self._absent(child, indent + 4)

    def _absent(self, column: Column, indent: int) -> None:
        """A value for each sink of a column whose RECORD is NULL."""
        if column.mode is Mode.REPEATED:
            self._line(indent, f"{self._sink()}(0)")
            self._skip_elements(column)
            return
        if column.type is not Type.RECORD:
            self._line(indent, f"{self._sink()}(None)")
            return
        if column.mode is Mode.NULLABLE:
            self._line(indent, f"{self._sink()}(False)")
        for child in column.fields:
            self._absent(child, indent)

    def _skip_elements(self, column: Column) -> None:
        """An empty list has no elements: their sinks are numbered, not called."""
        if column.type is not Type.RECORD:
            self._sinks += 1
            return
        for child in column.fields:
            if child.mode is Mode.REPEATED or (child.mode is Mode.NULLABLE and child.type is Type.RECORD):
                self._sinks += 1
            self._skip_elements(child)

    def _type_check(self, indent: int, variable: str, kind: type | tuple[type, ...]) -> None:
        kinds = kind if isinstance(kind, tuple) else (kind,)
        exact = " and ".join(f"type({variable}) is not {self._name(k)}" for k in kinds)
        self._line(indent, f"if {exact}: require({variable}, {self._name(kind)})")

    def _assign(self, indent: int, value: str) -> str:
        variable = self._variable()
        self._line(indent, f"{variable} = {value}")
        return variable

    def _variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"

    def _sink(self) -> str:
        self._sinks += 1
        return f"s{self._sinks - 1}"

    def _name(self, thing: object) -> str:
        name = f"n{len(self._names)}"
        self._names[name] = thing
        return name

    def _line(self, indent: int, text: str) -> None:
        self._lines.append(" " * indent + text)


def _require(value: object, kind: type | tuple[type, ...]) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind!r}")


def _frozen(value: object) -> object:
    """A buffer as it is now: an extractor may fill it again for its next row."""
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value
