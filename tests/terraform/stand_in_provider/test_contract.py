"""The contract is the schema of hashicorp/google: the stand-in serves it, and the real provider has all of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terraform.runner import MakeTerraform

CONTRACT = Path(__file__).with_name("schema_contract.json")
NOT_IN_A_SCHEMA = {"force_new", "default"}  # Terraform never shows them: the tests of plans do
PROSE = {"description", "description_kind", "deprecated"}


def test_the_provider_has_what_the_contract_says(make_terraform: MakeTerraform) -> None:
    terraform = make_terraform()
    exit_code, output = terraform.run("providers", "schema", "-json")
    assert exit_code == 0, output
    (served,) = json.loads(output)["provider_schemas"].values()
    blocks = {"provider": served["provider"], **served["resource_schemas"]}
    contract = json.loads(CONTRACT.read_text("utf-8"))
    if os.environ.get("TERRAFORM_PROVIDER") == "registry":
        blocks = {name: trimmed(blocks[name], declared) for name, declared in contract.items()}

    assert {name: facts(schema["block"]) for name, schema in blocks.items()} == {
        name: facts(declared) for name, declared in contract.items()
    }


def facts(block: dict[str, Any]) -> dict[str, Any]:
    return {
        "attributes": {
            name: {key: value for key, value in attribute.items() if key not in NOT_IN_A_SCHEMA | PROSE}
            for name, attribute in block.get("attributes", {}).items()
        },
        "block_types": {
            name: {"nesting_mode": nested["nesting_mode"], "max_items": nested.get("max_items")}
            | facts(nested.get("block", nested))
            for name, nested in block.get("block_types", {}).items()
        },
    }


def trimmed(schema: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any]:
    """Only what the contract names: the real provider has much more."""
    block = schema["block"]
    return {
        "block": {
            "attributes": {name: block["attributes"][name] for name in declared["attributes"]},
            "block_types": {
                name: block["block_types"][name] | trimmed(block["block_types"][name], nested)
                for name, nested in declared.get("block_types", {}).items()
            },
        }
    }
