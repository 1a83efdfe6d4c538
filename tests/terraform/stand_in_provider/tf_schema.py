"""A contract → the schema that `tf` sends to Terraform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tf.gen import tfplugin_pb2 as pb
from tf.schema import Attribute, Block, NestedBlock, NestMode, Schema
from tf.types import Bool, List, Map, Number, Set, String

if TYPE_CHECKING:
    from terraform.stand_in_provider import contract

_SCALARS = {"string": String, "number": Number, "bool": Bool}
_COLLECTIONS = {"list": List, "map": Map, "set": Set}
_NESTING = {"list": pb.Schema.NestedBlock.NestingMode.LIST, "set": pb.Schema.NestedBlock.NestingMode.SET}


def tf_schema(declared: contract.Contract) -> Any:
    # Version 0 is what the real resources have, and without one tf warns about every state it reads.
    return Schema(
        version=0,
        attributes=_attributes(declared.attributes),
        block_types=_block_types(declared),
    )


class _Block(NestedBlock):  # type: ignore[misc]
    """tf knows sets and single blocks only; with a list `view[0].query` works as in the real provider."""

    def __init__(self, name: str, block: contract.Block) -> None:
        nested = Block(attributes=_attributes(block.attributes), block_types=_block_types(block))
        super().__init__(name, NestMode.Set, nested, max_items=block.max_items)
        self._nesting = _NESTING[block.nesting_mode]

    def to_pb(self) -> Any:
        message = super().to_pb()
        message.nesting = self._nesting
        return message

    def encode(self, value: object) -> object:
        return value

    def decode(self, value: object) -> object:
        return value

    def semantically_equal(self, one: object, other: object) -> bool:
        return one == other


def _block_types(declared: contract.Contract) -> list[Any]:
    return [_Block(name, block) for name, block in declared.block_types.items()]


def _attributes(declared: Any) -> list[Any]:
    return [
        Attribute(
            name,
            _type(attribute.type),
            required=attribute.required,
            optional=attribute.optional,
            computed=attribute.computed,
        )
        for name, attribute in declared.items()
    ]


def _type(declared: contract.Type) -> Any:
    if isinstance(declared, str):
        return _SCALARS[declared]()
    collection, element = declared
    return _COLLECTIONS[collection](_SCALARS[element]())
