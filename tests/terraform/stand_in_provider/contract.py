"""`schema_contract.json` → the attributes and blocks of a resource, as hashicorp/google 7.45.0 declares them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Type = str | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One argument or output: in JSON, `terraform providers schema` plus `force_new` and `default` from the source."""

    type: Type
    required: bool = False
    optional: bool = False
    computed: bool = False
    force_new: bool = False
    default: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    attributes: Mapping[str, Attribute]
    block_types: Mapping[str, Block]

    def empty_state(self) -> dict[str, Any]:
        """Every attribute null, every block absent: Terraform wants all names present."""
        return dict.fromkeys(self.attributes) | {name: [] for name in self.block_types}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Contract):
    """What a resource has, once more inside of it."""

    nesting_mode: str
    max_items: int | None


@cache
def contract(name: str) -> Contract:
    """Of `provider`, or of a resource type."""
    declared = _document()[name]
    return Contract(attributes=_attributes(declared), block_types=_block_types(declared))


def _attributes(declared: Mapping[str, Any]) -> dict[str, Attribute]:
    return {name: Attribute(**flags) for name, flags in declared["attributes"].items()}


def _block_types(declared: Mapping[str, Any]) -> dict[str, Block]:
    return {
        name: Block(
            attributes=_attributes(block),
            block_types=_block_types(block),
            nesting_mode=block["nesting_mode"],
            max_items=block.get("max_items"),
        )
        for name, block in declared.get("block_types", {}).items()
    }


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_name("schema_contract.json").read_text("utf-8"))
    return document
