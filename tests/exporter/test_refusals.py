"""What BigQuery refuses, and what to do about it."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import Forbidden

from exporter import WarehouseError
from exporter.refusals import translated_errors

GRANT = "Give the exporter's service account the grants of terraform/export_job, or use other credentials."
WAIT = "Wait, or ask Google for a larger quota: nothing is lost, the next run goes on here."


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("accessDenied", GRANT),
        (None, GRANT),
        ("accessNotConfigured", "Enable the API for this project: gcloud services enable bigquery.googleapis.com"),
        ("billingNotEnabled", "Enable billing for this project, or name another one."),
        ("quotaExceeded", WAIT),
        ("rateLimitExceeded", WAIT),
    ],
)
def test_a_refusal_by_its_reason(reason: str | None, remedy: str) -> None:
    errors = [{"reason": reason, "message": "no"}] if reason else []

    with pytest.raises(WarehouseError) as refusal, translated_errors("project"):
        raise Forbidden("no", errors=errors)

    assert str(refusal.value) == f"project: BigQuery refuses access: no.\n  {remedy}"
