"""Bytes of `terraform show -json plan.bin` → the JSON object of a plan, or the reason why they are none."""

from __future__ import annotations

import json
import re
from typing import Any

from codegen.plans.errors import SHOW, PlanError

_OF_A_PLAN = ("planned_values", "resource_changes", "output_changes", "configuration")
_OTHERS = {
    "values": "the JSON of a Terraform state, not of a plan",
    "provider_schemas": "the JSON of providers' schemas, not of a plan",
    "diagnostics": "the JSON of `terraform validate`, not of a plan",
    "@level": "the log of `terraform plan -json`, not a plan",
    "resources": "a state file, not a plan",
}


def document_of(content: bytes, location: str) -> dict[str, Any]:
    """Raises PlanError."""
    try:
        # Also UTF-16, which a redirection in PowerShell writes, and a byte order mark.
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _no_json(content, location, error) from error
    if not isinstance(document, dict):
        raise PlanError(location=location, problem=f"is JSON, but a {_kind(document)} and no plan.", remedy=SHOW)
    other = next((what for name, what in _OTHERS.items() if name in document), "JSON, but no plan of Terraform")
    if "format_version" not in document or not any(name in document for name in _OF_A_PLAN):
        raise PlanError(location=location, problem=f"is {other}.", remedy=SHOW)
    version = document["format_version"]
    # A newer minor version only adds; see "JSON Output Format" in Terraform's documentation.
    if not isinstance(version, str) or not re.fullmatch(r"1\.[0-9]+", version):
        raise PlanError(
            location=location,
            problem=f"has format_version {json.dumps(version)[:80]}, and this review reads 1.x.",
            remedy="Plan with Terraform 1.1 or later; for a later format, install a newer smolqwery-terraform.",
        )
    return document


def _no_json(content: bytes, location: str, error: Exception) -> PlanError:
    problem = f"is not JSON: {error}."
    if not content.strip():
        problem = "is empty."
    elif content.startswith(b"PK"):
        problem = "is a plan file itself, which only Terraform reads."
    elif b'"@level"' in content[:4096]:
        problem = f"is {_OTHERS['@level']}."
    elif isinstance(error, RecursionError):
        problem = "is nested too deeply for a plan."
    elif isinstance(error, UnicodeDecodeError):
        problem = "is not JSON: it is not text in UTF-8."
    return PlanError(location=location, problem=problem, remedy=SHOW)


def _kind(document: object) -> str:
    if isinstance(document, list):
        return "list"
    return "text" if isinstance(document, str) else "single value"
