"""What BigQuery's REST API says when Terraform is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.process import Emulator
    from terraform.runner import MakeTerraform, Terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """BigQuery behind Terraform's back."""

    url: str

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """{} where there is nothing."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request) as response:
                return dict(json.loads(response.read() or b"{}"))
        except HTTPError as error:
            error.close()
            if error.code != 404:
                raise
            return {}

    def access(self, dataset_id: str) -> list[dict[str, Any]]:
        return list(self("GET", f"datasets/{dataset_id}")["access"])

    def columns(self, dataset_id: str, table_id: str) -> list[str]:
        return [field["name"] for field in self("GET", f"datasets/{dataset_id}/tables/{table_id}")["schema"]["fields"]]


@pytest.fixture
def terraform(make_terraform: MakeTerraform) -> Terraform:
    return make_terraform()


@pytest.fixture(scope="session")
def rest(terraform_emulator: Emulator) -> Rest:
    return Rest(url=f"{terraform_emulator.rest_url}/bigquery/v2/projects/{terraform_emulator.project}/")
