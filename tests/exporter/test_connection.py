"""Projects, credentials and endpoints, from outside: which are used, and what is said when they do not work."""

from __future__ import annotations

import errno
import json
import os
import socket
from typing import TYPE_CHECKING

import google.auth
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from exporter import warehouse as warehouse_module
from exporter.conf import GOOGLE_KEYS, load_settings
from exporter.warehouse import Warehouse
from exporter_cases.shop import OrderExtractor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from conftest import MakeWarehouse, RunCommand, RunProcess

REFUSED = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"
CHECK = "Check the network and the endpoint, then run this again."
GET_CREDENTIALS = (
    "Run `gcloud auth application-default login`, give the job a service account, or set BIGQUERY_EMULATOR_HOST and "
    "BIGQUERY_STORAGE_EMULATOR_HOST for an emulator."
)


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address of this machine that refuses connections: bound, so that nobody else listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def service_account_key() -> dict[str, str]:
    """As Google hands it out; its tokens would come from a port of this machine that nobody listens on."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {
        "type": "service_account",
        "project_id": "of-the-key",
        "private_key": pem,
        "client_email": "exporter@of-the-key.iam.gserviceaccount.com",
        "token_uri": "http://127.0.0.1:9/token",
    }


@pytest.mark.parametrize("command", ["smolqwery_extract", "smolqwery_status"])
def test_an_endpoint_that_refuses_connections(
    make_warehouse: MakeWarehouse,
    run_command: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
    closed_port: str,
    command: str,
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", closed_port)
    monkeypatch.setattr(warehouse_module, "RETRY", warehouse_module.RETRY.with_timeout(0.5))

    result = run_command(command)

    assert result == (
        "",
        f"{warehouse.name('order')}: {closed_port} does not answer: {REFUSED}.\n  {CHECK}\n",
        1,
    )


def test_an_endpoint_that_says_nothing(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = make_warehouse(OrderExtractor)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        monkeypatch.setattr(warehouse_module, "CALL_SECONDS", 0.2)
        monkeypatch.setattr(warehouse_module, "RETRY", warehouse_module.RETRY.with_timeout(0.5))

        result = run_command("smolqwery_extract")

    assert result == ("", f"{warehouse.name('order')}: {address} does not answer: timed out.\n  {CHECK}\n", 1)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("BIGQUERY_EMULATOR_HOST", "BIGQUERY_STORAGE_EMULATOR_HOST"),
        ("BIGQUERY_STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"),
    ],
)
def test_half_an_emulator(
    make_warehouse: MakeWarehouse, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch, given: str, missing: str
) -> None:
    make_warehouse(OrderExtractor)
    monkeypatch.delenv(missing)

    result = run_command("smolqwery_extract")

    assert result == (
        "",
        f"{missing}: is not set, but {given} is: half of the calls would go to BigQuery itself.\n"
        "  Set both for an emulator (http://host:port and host:port), or neither.\n",
        1,
    )


@pytest.mark.usefixtures("no_cloud")
@pytest.mark.parametrize("command", ["smolqwery_extract", "smolqwery_status"])
def test_no_credentials(run_command: RunCommand, command: str) -> None:
    result = run_command(command)

    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith("Google credentials: Your default credentials were not found. ")
    assert result.stderr.endswith(f".\n  {GET_CREDENTIALS}\n")


def test_no_credentials_and_a_metadata_server_that_does_not_answer(run_process: RunProcess, closed_port: str) -> None:
    """As on a laptop: Google's library asks for a metadata server first, and gives up in bounded time."""
    metadata = {"GCE_METADATA_HOST": closed_port, "GCE_METADATA_IP": closed_port, "GCE_METADATA_DETECT_RETRIES": "1"}

    result = run_process("smolqwery_extract", environ={"NO_GCE_CHECK": "false", **metadata})

    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith("Google credentials: Your default credentials were not found. ")
    assert result.stderr.endswith(f".\n  {GET_CREDENTIALS}\n")


@pytest.mark.usefixtures("no_cloud")
def test_a_key_in_settings_that_is_none(
    run_command: RunCommand, settings: Settings, service_account_key: dict[str, str]
) -> None:
    _put_key(settings, service_account_key | {"private_key": "-----BEGIN PRIVATE KEY-----\nno key"})

    result = run_command("smolqwery_extract")

    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith(
        "SMOLQWERY_GOOGLE_PRIVATE_KEY: with the other SMOLQWERY_GOOGLE_* settings it makes no service account: "
    )
    assert result.stderr.endswith("\n  Copy all of them from the service account's JSON key, newlines included.\n")


@pytest.mark.usefixtures("no_cloud")
def test_a_key_in_settings_is_used_and_names_the_project(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, service_account_key: dict[str, str]
) -> None:
    _put_key(settings, service_account_key)
    settings.SMOLQWERY_PROJECT = None
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "ambient")

    warehouse = Warehouse(load_settings())

    assert warehouse.project == warehouse.client.project == "of-the-key"
    assert warehouse.client._credentials.service_account_email == service_account_key["client_email"]


@pytest.mark.usefixtures("no_cloud")
def test_application_default_credentials_need_no_setting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service_account_key: dict[str, str]
) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(service_account_key), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    settings.SMOLQWERY_PROJECT = None

    warehouse = Warehouse(load_settings())

    assert warehouse.project == warehouse.client.project == "of-the-key"


@pytest.mark.usefixtures("no_cloud")
def test_the_environments_project_does_not_win(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, service_account_key: dict[str, str]
) -> None:
    _put_key(settings, service_account_key)
    settings.SMOLQWERY_PROJECT = "of-the-settings"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "ambient")

    warehouse = Warehouse(load_settings())

    assert warehouse.project == warehouse.client.project == "of-the-settings"
    assert warehouse.name("order").startswith("of-the-settings.")


@pytest.mark.usefixtures("no_cloud")
def test_no_project(run_command: RunCommand, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMOLQWERY_PROJECT = None
    monkeypatch.setattr(google.auth, "default", lambda **_: (object(), None))

    result = run_command("smolqwery_extract")

    assert result == (
        "",
        "SMOLQWERY_PROJECT: is not set, and the credentials name no project.\n"
        "  Set it to the id of the Google Cloud project that holds the dataset.\n",
        1,
    )


def _put_key(settings: Settings, key: dict[str, str]) -> None:
    for name in GOOGLE_KEYS:
        setattr(settings, f"SMOLQWERY_GOOGLE_{name.upper()}", key.get(name))
