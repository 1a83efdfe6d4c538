"""What a plan would do to one resource, as Terraform says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from codegen.plans.markdown import code
from codegen.plans.trees import Step, at, changed_paths, has_true

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unknown(Enum):
    """A value that Terraform knows after the apply only."""

    UNKNOWN = auto()


UNKNOWN = Unknown.UNKNOWN


class Action(Enum):
    """What becomes of the resource. `other` is what a later Terraform may have invented."""

    nothing = auto()
    create = auto()
    read = auto()
    update = auto()
    replace = auto()
    delete = auto()
    forget = auto()
    other = auto()


_ACTIONS = {
    ("no-op",): Action.nothing,
    ("create",): Action.create,
    ("read",): Action.read,
    ("update",): Action.update,
    ("delete", "create"): Action.replace,
    ("create", "delete"): Action.replace,
    # Made again, and the old one left to itself: under the same name the two cannot be.
    ("create", "forget"): Action.replace,
    ("delete",): Action.delete,
    ("forget",): Action.forget,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`before` and `after` are {} where there is nothing; the others have their shape, with True at the leaves."""

    address: str
    type: str
    actions: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    before_sensitive: Any = False
    after_sensitive: Any = False
    after_unknown: Any = False
    replace_paths: tuple[tuple[Step, ...], ...] = ()
    previous_address: str = ""
    is_imported: bool = False
    is_deposed: bool = False
    is_data: bool = False
    """A data source, which is read only."""
    reason: str = ""

    @property
    def action(self) -> Action:
        return _ACTIONS.get(self.actions, Action.other)

    @property
    def ends(self) -> bool:
        """Whether what is there now is no more, afterwards. Also where a later Terraform combines actions anew."""
        return "delete" in self.actions or self.action is Action.replace

    def old(self, *path: Step) -> Any:
        """None: not there."""
        return at(self.before, path)

    def new(self, *path: Step) -> Any:
        """None: not there. UNKNOWN: known after apply, or a part of it is."""
        return UNKNOWN if has_true(at(self.after_unknown, path)) else at(self.after, path)

    def known(self, *path: Step) -> Any:
        """What is known of it afterwards, also where a part of it is not."""
        return at(self.after, path)

    def now(self, *path: Step) -> Any:
        """As it is, or as it will be where nothing is yet."""
        return self.old(*path) if self.before else self.new(*path)

    def is_sensitive(self, *path: Step) -> bool:
        return any(has_true(at(marks, path)) for marks in (self.before_sensitive, self.after_sensitive))

    def public_part(self, path: tuple[Step, ...]) -> tuple[Step, ...]:
        """Of a path as much as is no secret: a map may be sensitive with its names."""
        lengths = range(1, len(path))
        return path[: next((n for n in lengths if self._is_secret(*path[:n])), len(path))]

    def _is_secret(self, *path: Step) -> bool:
        return any(at(marks, path) is True for marks in (self.before_sensitive, self.after_sensitive))

    def differs(self, *path: Step) -> bool:
        """Absent, null, empty and zero are one: a provider does not tell them apart."""
        old, new = self.old(*path), self.new(*path)
        return new is UNKNOWN or (old or None) != (new or None)

    def show_old(self, *path: Step) -> str:
        return self._show(self.old(*path), path)

    def show_new(self, *path: Step) -> str:
        return self._show(self.new(*path), path)

    def show(self, *path: Step) -> str:
        """As it is, or as it will be where nothing is yet."""
        return self._show(self.now(*path), path)

    def _show(self, value: Any, path: tuple[Step, ...]) -> str:
        if self.is_sensitive(*path):
            return "(sensitive)"
        if value is UNKNOWN:
            return "(known after apply)"
        return "nothing" if value is None or value == "" else code(value)

    def changed_paths(self) -> list[tuple[Step, ...]]:
        """The shortest that say where before and after differ."""
        if self.after_unknown is True:
            return [(name,) for name in sorted({*self.before, *self.after})]
        unknown = self.after_unknown if isinstance(self.after_unknown, dict) else {}
        return list(changed_paths(self.before, self.after, unknown, ()))
