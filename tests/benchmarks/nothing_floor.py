"""What a run with nothing to do cannot do without: `manage.py check`, google.cloud.bigquery, and one query."""

from __future__ import annotations

import os

import django
from django.core.management import call_command
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

if __name__ == "__main__":
    django.setup()
    call_command("check")
    client = bigquery.Client(
        project=os.environ["GOOGLE_CLOUD_PROJECT"],
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": os.environ["BIGQUERY_EMULATOR_HOST"]},
    )
    assert [tuple(row) for row in client.query_and_wait("SELECT 1", location="EU")] == [(1,)]
