"""Where in a plan something is → what is there, or a message that it is not what it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from codegen.plans.errors import SHOW, PlanError


@dataclass(frozen=True, slots=True)
class Place:
    """Each method raises PlanError. What may be missing is empty then."""

    location: str
    path: str = ""
    """With the dot behind it."""

    def objects(self, tree: dict[str, Any], name: str) -> list[tuple[Place, dict[str, Any]]]:
        elements = tree.get(name) or []
        if not isinstance(elements, list):
            self._refuse(name, "a list")
        places = [Place(self.location, f"{self.path}{name}[{number}].") for number in range(len(elements))]
        for number, element in enumerate(elements):
            if not isinstance(element, dict):
                self._refuse(f"{name}[{number}]", "an object")
        return list(zip(places, elements, strict=True))

    def object(self, tree: dict[str, Any], name: str) -> dict[str, Any]:
        value = tree.get(name) or {}
        if not isinstance(value, dict):
            self._refuse(name, "an object")
        return value

    def text(self, tree: dict[str, Any], name: str) -> str:
        value = tree.get(name)
        if not isinstance(value, str) or not value:
            self._refuse(name, "a text")
        return value

    def texts(self, tree: dict[str, Any], name: str) -> tuple[str, ...]:
        value = tree.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            self._refuse(name, "a list of texts")
        return tuple(value)

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        raise PlanError(
            location=self.location,
            problem=f"{self.path}{name} is not {wanted}, as it is in every plan of Terraform.",
            remedy=SHOW,
        )
