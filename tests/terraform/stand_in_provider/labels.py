"""Configured labels → the labels that a plan promises and that a read finds.

Labels are not authoritative: `labels` is what the configuration says, `terraform_labels` has what the provider adds,
too, and `effective_labels` is all that BigQuery has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from terraform.stand_in_provider.unknown import Unknown, is_wholly_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from terraform.stand_in_provider.configuration import Configuration

State = dict[str, Any]

_ATTRIBUTION = {"goog-terraform-provisioned": "true"}


def planned_labels(prior: State | None, planned: State, configuration: Configuration) -> State:
    """The real provider attributes a resource to Terraform when it creates it, and leaves older ones alone."""
    if not is_wholly_known(planned["labels"]):
        return {"terraform_labels": Unknown, "effective_labels": Unknown}
    before = _labels(prior, "terraform_labels")
    effective = _labels(prior, "effective_labels")
    attributed = prior is None or not _ATTRIBUTION.keys().isdisjoint(effective)
    terraform = {
        **configuration.default_labels,
        **(_ATTRIBUTION if configuration.adds_attribution_label and attributed else {}),
        **(planned["labels"] or {}),
    }
    kept = {name: value for name, value in effective.items() if name in terraform or name not in before}
    return {"terraform_labels": terraform, "effective_labels": {**kept, **terraform}}


def read_labels(current: State, found: Mapping[str, str]) -> State:
    return {
        "labels": {name: found[name] for name in _labels(current, "labels") if name in found},
        "terraform_labels": {name: found[name] for name in _labels(current, "terraform_labels") if name in found},
        "effective_labels": dict(found),
    }


def _labels(state: State | None, name: str) -> dict[str, str]:
    value = (state or {}).get(name)
    return value if isinstance(value, dict) else {}
