"""A row dataclass → whether its rows are just the values that they were made of, or the need to make them."""

from __future__ import annotations

import dataclasses
import inspect
from types import MemberDescriptorType
from typing import Any

from exporter.statements import RowsNeededError


def require_plain(row_class: type) -> None:
    """Raise RowsNeededError: the fields of a row are not just the values that it was made of."""
    fields = dataclasses.fields(row_class)
    parameters: Any = vars(row_class).get("__dataclass_params__")
    hooks = ["__new__", "__getattribute__", *(() if parameters and parameters.frozen else ("__setattr__",))]
    plain = (
        parameters is not None
        and parameters.init
        and _is_made_by_dataclasses(row_class)
        and not hasattr(row_class, "__post_init__")
        and all(getattr(row_class, hook) is getattr(object, hook) for hook in hooks)
        and len(inspect.signature(row_class).parameters) == len(fields)
        and not any(_is_computed(inspect.getattr_static(row_class, field.name, None)) for field in fields)
    )
    if not plain:
        raise RowsNeededError(f"{row_class.__name__} computes its fields")


def _is_made_by_dataclasses(row_class: Any) -> bool:
    """Nothing is done to the values that `__init__` takes: by pydantic, a decorator or a metaclass."""
    code = getattr(row_class.__init__, "__code__", None)
    return type(row_class).__call__ is type.__call__ and code is not None and code.co_filename == "<string>"


def _is_computed(attribute: object) -> bool:
    return hasattr(type(attribute), "__get__") and not isinstance(attribute, MemberDescriptorType)
