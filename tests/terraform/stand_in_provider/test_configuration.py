"""Which endpoints the stand-in talks to, and whose words it takes."""

from __future__ import annotations

import pytest

from terraform.stand_in_provider.configuration import configuration
from terraform.stand_in_provider.errors import (
    CredentialsConflictError,
    EndpointMalformedError,
    EndpointMissingError,
    EndpointNotLoopbackError,
    StandInError,
)

LOCAL = "http://127.0.0.1:9050/bigquery/v2/"


@pytest.mark.parametrize("endpoint", [LOCAL, "http://localhost:9050/bigquery/v2/", "http://[::1]:9050/bigquery/v2/"])
def test_this_machine_is_accepted(endpoint: str) -> None:
    assert configuration({"big_query_custom_endpoint": endpoint}, {}).endpoint == endpoint


@pytest.mark.parametrize(
    ("endpoint", "refusal"),
    [
        ("", EndpointMissingError),
        ("https://bigquery.googleapis.com/bigquery/v2/", EndpointNotLoopbackError),
        ("http://10.0.0.1:9050/bigquery/v2/", EndpointNotLoopbackError),
        ("http://127.0.0.1.example.com/bigquery/v2/", EndpointNotLoopbackError),
        ("http://127.0.0.1@example.com/bigquery/v2/", EndpointNotLoopbackError),
        ("http://0.0.0.0:9050/bigquery/v2/", EndpointNotLoopbackError),
        ("/bigquery/v2/", EndpointNotLoopbackError),
        ("https://localhost:9050/bigquery/v2/", EndpointMalformedError),
        ("http://localhost/bigquery/v2/", EndpointMalformedError),
        ("http://localhost:9050", EndpointMalformedError),
        ("http://localhost:9050/bigquery/v2", EndpointMalformedError),
        ("http://localhost:port/bigquery/v2/", EndpointMalformedError),
    ],
)
def test_anything_else_is_refused(endpoint: str, refusal: type[StandInError]) -> None:
    with pytest.raises(refusal):
        configuration({}, {"GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT": endpoint})


def test_arguments_win_over_the_environment() -> None:
    environment = {
        "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT": "https://bigquery.googleapis.com/bigquery/v2/",
        "GOOGLE_CLOUD_PROJECT": "of-environment",
        "GOOGLE_OAUTH_ACCESS_TOKEN": "of-environment",
    }

    configured = configuration({"big_query_custom_endpoint": LOCAL, "project": "of-block"}, environment)

    assert (configured.endpoint, configured.project, configured.access_token) == (LOCAL, "of-block", "of-environment")


def test_a_token_beside_credentials_is_refused() -> None:
    with pytest.raises(CredentialsConflictError):
        configuration({"access_token": "one", "credentials": "two", "big_query_custom_endpoint": LOCAL}, {})
