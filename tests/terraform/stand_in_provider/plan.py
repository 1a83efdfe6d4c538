"""Prior state and configuration → what will be, and what that forces to be made anew.

As terraform-plugin-sdk does it for the real provider: an attribute that only BigQuery decides is unknown while a
resource is created and keeps its last known value in an update, so a plan shows what somebody changed and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terraform.stand_in_provider.unknown import Unknown, known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terraform.stand_in_provider.contract import Attribute, Contract

State = dict[str, Any]
Path = tuple[str | int, ...]

_ZEROS: Mapping[str, object] = {"string": "", "number": 0, "bool": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    state: State
    replaced_by: tuple[Path, ...]


def planned_state(contract: Contract, prior: State | None, proposed: State) -> State:
    """`proposed` is Terraform's: the configuration, and prior values where that leaves computed ones out."""
    state = {name: _planned_value(attribute, name, prior, proposed) for name, attribute in contract.attributes.items()}
    for name, block in contract.block_types.items():
        elements = proposed[name]
        if elements is not Unknown:
            before = prior[name] if prior else []
            elements = [
                planned_state(block, before[index] if index < len(before) else None, element)
                for index, element in enumerate(elements)
            ]
        state[name] = elements
    return state


def force_new_paths(contract: Contract, prior: State, state: State) -> tuple[Path, ...]:
    """Changed arguments that BigQuery cannot change in place."""
    paths: list[Path] = [
        (name,)
        for name, attribute in contract.attributes.items()
        if attribute.force_new and not same(prior[name], state[name])
    ]
    for block_name, block in contract.block_types.items():
        before, after = _only_element(prior[block_name]), _only_element(state[block_name])
        paths += [
            (block_name, 0, name)
            for name, attribute in block.attributes.items()
            if attribute.force_new and not same(before.get(name), after.get(name))
        ]
    return tuple(paths)


def same(one: object, other: object) -> bool:
    """Unset, empty, zero and false are one: terraform-plugin-sdk cannot tell them apart, so they are no change."""
    if one is Unknown or other is Unknown:
        return one is other
    return one == other or (not one and not other)


def with_found(contract: Contract, current: State, found: Mapping[str, Any]) -> State:
    """A read. Nothing found is the zero of its type, as in the states of the real provider."""
    before: State = known(current)
    return before | {
        name: _ZEROS.get(str(contract.attributes[name].type))
        if name in contract.attributes and value is None
        else value
        for name, value in found.items()
    }


def as_applied(planned: State, read: State | None) -> State | None:
    """What was left out stays null until the next refresh finds it empty."""
    return read and {
        name: None if value in ({}, []) and planned[name] is None else value for name, value in read.items()
    }


def _planned_value(attribute: Attribute, name: str, prior: State | None, proposed: State) -> object:
    value = attribute.default if proposed[name] is None else proposed[name]
    if prior is None:
        return Unknown if value is None and attribute.computed else value
    if same(prior[name], value):
        return prior[name]
    return type(prior[name])() if value is None and isinstance(prior[name], list | dict) else value


def _only_element(elements: object) -> State:
    return elements[0] if isinstance(elements, list) and elements else {}
