"""Terraform's "known after apply"."""

from __future__ import annotations

from typing import Any

from tf.types import Unknown

__all__ = ["Unknown", "is_wholly_known", "known"]


def is_wholly_known(value: object) -> bool:
    """False for a map or list with an unknown inside, too."""
    if isinstance(value, dict):
        return all(is_wholly_known(part) for part in value.values())
    if isinstance(value, list):
        return all(is_wholly_known(part) for part in value)
    return value is not Unknown


def known(value: Any) -> Any:
    """What is still unknown after the request that could tell is null."""
    if isinstance(value, dict):
        return {name: known(part) for name, part in value.items()}
    if isinstance(value, list):
        return [known(part) for part in value]
    return None if value is Unknown else value
