"""`deletion_policy`, which dataset and table have alike: what it is, and what it says to a deletion."""

from __future__ import annotations

from typing import Any

from terraform.stand_in_provider.errors import DeletionPreventedError


def planned_policy(config: dict[str, Any], of_provider: str) -> object:
    """Always known: the resource's, or else the provider's, or else DELETE."""
    return of_provider if config["deletion_policy"] is None else config["deletion_policy"]


def is_abandoned(state: dict[str, Any], name: str) -> bool:
    """True where the policy says to forget the resource and leave it to BigQuery."""
    if state["deletion_policy"] == "PREVENT":
        raise DeletionPreventedError(name)
    return bool(state["deletion_policy"] == "ABANDON")
