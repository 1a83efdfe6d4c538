"""One BigQuery REST request → its JSON, or the error in BigQuery's words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from terraform.stand_in_provider.errors import ApiError, EmulatorUnreachableError

Json = dict[str, Any]

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class BigQuery:
    endpoint: str  # ends with a slash, e.g. http://127.0.0.1:9050/bigquery/v2/
    access_token: str | None = None

    def request(self, method: str, path: str, *, context: str = "", body: Json | None = None) -> Json:
        """`context` begins the message of a failure: "Error creating Dataset: "."""
        status, text = self._send(method, path, context=context, body=body)
        try:
            answer = json.loads(text) if text.strip() else {}
        except ValueError:
            answer = {}
        if not 200 <= status < 300:
            error = answer.get("error") or {}
            reasons = [entry.get("reason", "") for entry in error.get("errors") or []]
            message = error.get("message") or text.strip() or "no message"
            raise ApiError(context=context, status=status, message=message, reason=next(iter(reasons), ""))
        return dict(answer)

    def get(self, path: str, *, context: str = "") -> Json | None:
        """None where there is nothing (any more)."""
        try:
            return self.request("GET", path, context=context)
        except ApiError as error:
            if error.is_not_found:
                return None
            raise

    def query(self, project: str, body: Json, *, context: str = "") -> None:
        """A statement. BigQuery answers 400 to one that fails; the emulator answers 200 and says so inside."""
        answer = self.request("POST", f"projects/{quote(project, safe=':')}/queries", context=context, body=body)
        for error in answer.get("errors") or []:
            raise ApiError(
                context=context, status=400, message=error.get("message", ""), reason=error.get("reason", "")
            )

    def _send(self, method: str, path: str, *, context: str = "", body: Json | None) -> tuple[int, str]:
        # http.client and not urllib.request: it knows neither proxies nor redirects, so a request that was
        # checked to stay on this machine does stay there.
        base = urlsplit(self.endpoint)
        connection = HTTPConnection(str(base.hostname), base.port, timeout=_TIMEOUT_SECONDS)
        headers = {"Content-Type": "application/json"}
        if self.access_token:
            headers["Authorization"] = f"Bearer {self.access_token}"
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, base.path + path, payload, headers)
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise EmulatorUnreachableError(context=context, endpoint=self.endpoint, cause=error) from error
        finally:
            connection.close()


def dataset_path(project: str, dataset_id: str) -> str:
    return f"projects/{quote(project, safe=':')}/datasets/{quote(dataset_id, safe='')}"


def table_path(project: str, dataset_id: str, table_id: str) -> str:
    return f"{dataset_path(project, dataset_id)}/tables/{quote(table_id, safe='')}"
