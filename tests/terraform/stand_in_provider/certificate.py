"""The certificate that Terraform pins: made once in the provider's own directory, kept for some days."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAX_AGE_SECONDS = 6 * 24 * 3600  # tf's certificates are valid for seven days


def cached(certificate: Path, make: Callable[[], tuple[bytes, Any]]) -> tuple[bytes, Any]:
    """`make` is tf's, and writes the file.

    It looks for itself, too, but imports `cryptography` to do so: a fifth of the time that the provider takes to start,
    and every terraform command starts it two to four times.
    """
    try:
        if time.time() - certificate.stat().st_mtime < _MAX_AGE_SECONDS:
            kept = json.loads(certificate.read_text("utf-8"))
            pair = (kept["key_pem"].encode(), kept["cert_pem"].encode())
            return base64.b64decode(kept["cert_chain"]), grpc.ssl_server_credentials([pair])
    except (OSError, ValueError, KeyError):
        pass  # not there, or another provider is just writing it
    certificate.unlink(missing_ok=True)
    return make()
