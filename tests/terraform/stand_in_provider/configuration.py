"""The provider block and its environment variables → a checked configuration."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from terraform.stand_in_provider.errors import (
    CredentialsConflictError,
    EndpointMalformedError,
    EndpointMissingError,
    EndpointNotLoopbackError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDPOINT_VARIABLES = ("GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT",)
_PROJECT_VARIABLES = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
_TOKEN_VARIABLES = ("GOOGLE_OAUTH_ACCESS_TOKEN",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    endpoint: str
    project: str | None
    access_token: str | None
    deletion_policy: str
    default_labels: Mapping[str, str]
    adds_attribution_label: bool


def configuration(block: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Configuration:
    """Arguments win over the environment, as in the real provider."""

    def first(argument: str, variables: tuple[str, ...]) -> str | None:
        candidates = [block.get(argument), *(environment.get(variable) for variable in variables)]
        return next((value for value in candidates if isinstance(value, str) and value), None)

    labels = block.get("default_labels")
    if block.get("access_token") and block.get("credentials"):
        raise CredentialsConflictError
    return Configuration(
        endpoint=checked_endpoint(first("big_query_custom_endpoint", _ENDPOINT_VARIABLES)),
        project=first("project", _PROJECT_VARIABLES),
        access_token=first("access_token", _TOKEN_VARIABLES),
        deletion_policy=first("deletion_policy", ()) or "DELETE",
        default_labels=labels if isinstance(labels, dict) else {},
        adds_attribution_label=block.get("add_terraform_attribution_label") is not False,
    )


def checked_endpoint(endpoint: str | None) -> str:
    """Nothing but this machine: a stand-in with a fake idea of plans must never meet a real dataset."""
    if endpoint is None:
        raise EndpointMissingError
    url = urlsplit(endpoint)
    if not _is_loopback(url.hostname or ""):
        raise EndpointNotLoopbackError(endpoint)
    if url.scheme != "http" or not _has_port(url) or not re.fullmatch(r"/(.*/)?[^/]+/", url.path):
        raise EndpointMalformedError(endpoint)
    return endpoint


def _has_port(url: SplitResult) -> bool:
    try:
        return url.port is not None
    except ValueError:  # not a number
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
