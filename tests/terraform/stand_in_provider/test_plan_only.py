"""What no emulator has: planned, and never applied."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terraform.runner import Terraform

pytestmark = pytest.mark.skipif(
    os.environ.get("TERRAFORM_PROVIDER") == "registry", reason="The real provider would leave this machine."
)


def test_a_service_account_is_planned_with_its_address_and_refused_at_the_apply(terraform: Terraform) -> None:
    terraform.configure(
        {
            "provider": {"google": {"project": "example-project"}},
            "resource": {"google_service_account": {"only": {"account_id": "exporter"}}},
        }
    )

    assert terraform.plan() == {"google_service_account.only": ["create"]}
    (planned,) = terraform.show("plan")["planned_values"]["root_module"]["resources"]
    exit_code, output = terraform.run("apply", "-auto-approve")

    assert planned["values"]["email"] == "exporter@example-project.iam.gserviceaccount.com"
    assert exit_code == 1
    assert "Error: google_service_account is planned only" in output
    assert "it serves BigQuery only" in output


def test_a_block_in_a_block_is_planned_as_it_is_written(terraform: Terraform) -> None:
    variable = {"name": "PASSWORD", "value_source": [{"secret_key_ref": [{"secret": "password", "version": "1"}]}]}
    container = {"image": "image", "env": [variable]}
    terraform.configure(
        {
            "provider": {"google": {"project": "example-project"}},
            "resource": {
                "google_cloud_run_v2_job": {
                    "only": {
                        "name": "job",
                        "location": "europe-west1",
                        "template": [{"template": [{"containers": [container]}]}],
                    }
                }
            },
        }
    )

    terraform.plan()

    (planned,) = terraform.show("plan")["planned_values"]["root_module"]["resources"]
    (task,) = planned["values"]["template"][0]["template"]
    assert task["containers"][0]["env"] == [variable | {"value": ""}]
    assert task["max_retries"] == 3
