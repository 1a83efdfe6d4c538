"""The stand-in for hashicorp/google: Terraform starts it, it serves three BigQuery resources and talks to an emulator.

install.py writes the launcher that calls `main`. What differs from the real provider, knowingly:

- Only what schema_contract.json names is served: no `access` block, no `condition`, no other resource or data source.
- It sends no policy tags that nobody wrote, asks no row access policies, and never retries.
- A grant leaves the other entries of the access list alone; the real provider writes them anew, in its own order.
- A RECORD whose own type or mode changes is always replaced; with the real provider that is a matter of chance.
- After a failed update the state keeps the old values; the real provider writes the new ones until the next refresh.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf import provider as tf_provider
from tf import runner

from terraform.stand_in_provider.bigquery import BigQuery
from terraform.stand_in_provider.certificate import cached
from terraform.stand_in_provider.cloud_identity_group import CloudIdentityGroup
from terraform.stand_in_provider.configuration import Configuration, configuration
from terraform.stand_in_provider.contract import contract
from terraform.stand_in_provider.dataset import Dataset
from terraform.stand_in_provider.dataset_iam_member import DatasetIamMember
from terraform.stand_in_provider.servicer import Servicer
from terraform.stand_in_provider.table import Table
from terraform.stand_in_provider.tf_schema import tf_schema

if TYPE_CHECKING:
    from terraform.stand_in_provider.resource import Resource


class GoogleProvider:
    """Shaped after tf.iface.Provider; not derived from it, which would buy nothing."""

    configuration: Configuration
    bigquery: BigQuery

    def full_name(self) -> str:
        return "registry.terraform.io/hashicorp/google"

    def get_model_prefix(self) -> str:
        return "google_"

    def get_provider_schema(self, _diagnostics: object) -> Any:
        return tf_schema(contract("provider"))

    def validate_config(self, _diagnostics: object, _config: dict[str, Any]) -> None:
        """`terraform validate` needs no endpoint."""

    def configure_provider(self, _diagnostics: object, config: dict[str, Any]) -> None:
        self.configuration = configuration(config)
        self.bigquery = BigQuery(endpoint=self.configuration.endpoint, access_token=self.configuration.access_token)

    def get_data_sources(self) -> list[type]:
        return []

    def get_functions(self) -> list[type]:
        return []

    def get_resources(self) -> list[type[Resource]]:
        return [Dataset, Table, DatasetIamMember, CloudIdentityGroup]

    def new_resource(self, resource: type[Resource]) -> Resource:
        return resource(self)


def main(directory: str) -> None:
    """`directory` is install.py's: the certificate is kept there, and not in somebody's home."""
    certificate, make = Path(directory) / "certificate.json", runner._self_signed_cert
    tf_provider.ProviderServicer = Servicer
    runner._get_cert_cache_path = lambda: certificate
    runner._self_signed_cert = lambda: cached(certificate, make)
    runner.run_provider(GoogleProvider())
