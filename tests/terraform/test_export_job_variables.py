"""What terraform/export_job takes, what it refuses, and what it then says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terraform.runner import Terraform

EXPORT_JOB = Path(__file__).resolve().parents[2] / "terraform" / "export_job"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
LEGAL: dict[str, Any] = {
    "project": "example-project",
    "region": "europe-west1",
    "image": f"europe-west1-docker.pkg.dev/example-project/shop/app@{DIGEST}",
    "dataset_id": "flights",
    "exporter_dataset_id": "flights_exporter",
}

ACCEPTED: list[dict[str, Any]] = [
    {"cloud_sql_instances": ["example.com:example-project:us-central1:shop", "example-project:us-east1:shop"]},
    {"command": [], "args": []},
    {"cpu": 4, "memory": "2Gi"},
    {"cpu": "8", "memory": "32768Mi"},
    {"dataset_id": "Flights_2"},
    {"environment": {"_lower_case": "", "PORTS": "1"}},
    {"image": f"localhost:5000/app@{DIGEST}"},
    {"image": f"gcr.io/example.com/example-project/a_b-c.d@{DIGEST}"},
    {"name": "ab"},
    {"name": "a-name-of-21-characters"[:21]},
    {"project": "example.com:example-project"},
    {"schedule": "0 4 * * *"},
    {"schedule": "  */5,7   0-23/2  1,15  jan,3-DEC  0-7 "},
    {"schedule": "59 23 31 12 sun-7"},
    {"secrets": {"A": {"secret": "a", "version": 12}, "B": {"secret": "projects/123/secrets/b_C-1", "version": "1"}}},
    {"success_within_hours": 840},
    {"task_count": 10000},
    {"time_zone": "America/Argentina/Buenos_Aires"},
    {"time_zone": "Etc/GMT+3"},
    {"vpc": {"network": "a", "subnetwork": "projects/example-host/regions/europe-west1/subnetworks/b"}},
    {"vpc": {"network": "projects/example-host/global/networks/a", "subnetwork": "b", "egress": None, "tags": None}},
]

CLOUD_SQL = "Each of cloud_sql_instances must be project:region:instance, such as example-project:europe-west1:shop."
CRON_FIELDS = 'schedule must have five fields, minute, hour, day of month, month and day of week, such as "15 4 * * *".'
CRON_RANGES = "schedule must have ranges that go up, such as 1-5: one over midnight is two, such as 22-23,0-2."
CRON = (
    "schedule must be made of *, numbers, ranges such as 1-5, steps such as */10 and lists of those with commas: "
    "minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, day of week 0-7 or SUN-SAT."
)
IMAGE = (
    "image must end with a digest instead of a tag, such as "
    "europe-west1-docker.pkg.dev/example-project/shop/app@sha256: and 64 hexadecimal digits."
)
MAX_RETRIES = "max_retries must be a whole number from 0 to 10."
MEMORY = "memory must be a whole number followed by Mi or Gi, such as 512Mi or 2Gi."
NAME = "name must be 2 to 21 lower-case letters, digits and -, begin with a letter, and not end with -."
RESERVED = "must not set PORT, CLOUD_RUN_* or X_GOOGLE_*: Cloud Run sets them itself."
SECRET = "Each secret in secrets must be the name of one, such as database-password, or projects/PROJECT/secrets/NAME."
SUBNETWORK = "subnetwork of vpc must be a name such as default, or projects/PROJECT/regions/REGION/subnetworks/NAME."
SUCCESS = (
    "success_within_hours must be a whole number from 2 to 840, which is 35 days: "
    "Cloud Monitoring keeps this metric for six weeks."
)
TASK_COUNT = "task_count must be a whole number from 1 to 10000. More tasks than tables have nothing to do."
TIMEOUT = "timeout_seconds must be a whole number from 1 to 604800, which is 7 days."
TIME_ZONE = "time_zone must be UTC or a name of the tz database with its area, such as Europe/Paris or Etc/GMT-3."
VARIABLE_NAME = "must be ASCII letters, digits and _, and begin with no digit."
VERSION = (
    "Each version in secrets must be a number such as 1, not latest: "
    "a new version is deployed and reviewed like any other change."
)


def secret(name: str = "A", *, secret: str = "a", version: str = "1") -> dict[str, Any]:
    return {"secrets": {name: {"secret": secret, "version": version}}}


def vpc(**changes: str) -> dict[str, Any]:
    return {"vpc": {"network": "default", "subnetwork": "default"} | changes}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"cloud_sql_instances": ["shop"]}, CLOUD_SQL),
    ({"cloud_sql_instances": ["example-project:shop"]}, CLOUD_SQL),
    ({"cloud_sql_instances": ["example-project:europe-west1:shop", ""]}, CLOUD_SQL),
    (
        {"cloud_sql_instances": ["example-project:europe-west1:shop"] * 2},
        "cloud_sql_instances must name each instance once.",
    ),
    ({"cpu": "3"}, "cpu must be 1, 2, 4, 6, 8."),
    ({"cpu": "500m"}, "cpu must be 1, 2, 4, 6, 8."),
    (
        {"dataset_id": "example-project.flights"},
        "dataset_id must be ASCII letters, digits and _, at most 1,000, without the project.",
    ),
    (
        {"dataset_project": "Example"},
        "dataset_project must be a project id such as example-project, 6 to 30 lower-case letters, digits and -, "
        "or null.",
    ),
    ({"environment": {"1ST": "a"}}, f"Each name in environment {VARIABLE_NAME}"),
    ({"environment": {"WITH-DASH": "a"}}, f"Each name in environment {VARIABLE_NAME}"),
    ({"environment": {"PORT": "1"}}, f"environment {RESERVED}"),
    ({"environment": {"CLOUD_RUN_JOB": "a"}}, f"environment {RESERVED}"),
    (
        {"exporter_dataset_id": ""},
        "exporter_dataset_id must be ASCII letters, digits and _, at most 1,000, without the project.",
    ),
    (
        {"exporter_dataset_id": "flights"},
        "exporter_dataset_id must not be dataset_id: the job may create tables in the one and not in the other.",
    ),
    ({"image": "europe-west1-docker.pkg.dev/example-project/shop/app"}, IMAGE),
    ({"image": "europe-west1-docker.pkg.dev/example-project/shop/app:latest"}, IMAGE),
    ({"image": f"europe-west1-docker.pkg.dev/example-project/shop/app:1.0@{DIGEST}"}, IMAGE),
    ({"image": f"europe-west1-docker.pkg.dev/example-project/shop/app@{DIGEST[:-1]}"}, IMAGE),
    ({"image": DIGEST}, IMAGE),
    ({"image": ""}, IMAGE),
    ({"max_retries": -1}, MAX_RETRIES),
    ({"max_retries": 11}, MAX_RETRIES),
    ({"max_retries": 0.5}, MAX_RETRIES),
    ({"memory": "1G"}, MEMORY),
    ({"memory": "1024"}, MEMORY),
    ({"memory": "0.5Gi"}, MEMORY),
    ({"memory": "511Mi"}, "memory must be at least 512Mi where cpu is 1."),
    ({"memory": "5Gi"}, "memory must be at most 4096Mi where cpu is 1. Set cpu higher for more."),
    ({"memory": "2Gi", "cpu": 8}, "memory must be at least 4096Mi where cpu is 8."),
    ({"name": "a"}, NAME),
    ({"name": "Export"}, NAME),
    ({"name": "export_job"}, NAME),
    ({"name": "export-"}, NAME),
    ({"name": "a" * 22}, NAME),
    (
        {"notification_channels": ["team@example.com"]},
        "Each of notification_channels must be projects/PROJECT/notificationChannels/ID.",
    ),
    (
        {"project": "example"[:5]},
        "project must be a project id such as example-project: 6 to 30 lower-case letters, digits and -.",
    ),
    ({"region": "EU"}, "region must be a region such as europe-west1. Multi-regions such as EU are for datasets only."),
    (
        {"region": "europe-west1-b"},
        "region must be a region such as europe-west1. Multi-regions such as EU are for datasets only.",
    ),
    ({"schedule": ""}, CRON_FIELDS),
    ({"schedule": "every 24 hours"}, CRON_FIELDS),
    ({"schedule": "@daily"}, CRON_FIELDS),
    ({"schedule": "0 4 * *"}, CRON_FIELDS),
    ({"schedule": "0 0 4 * * *"}, CRON_FIELDS),
    ({"schedule": "60 * * * *"}, CRON),
    ({"schedule": "0 24 * * *"}, CRON),
    ({"schedule": "0 4 0 * *"}, CRON),
    ({"schedule": "0 4 32 * *"}, CRON),
    ({"schedule": "0 4 * 13 *"}, CRON),
    ({"schedule": "0 4 * * 8"}, CRON),
    ({"schedule": "0 4 * * monday"}, CRON),
    ({"schedule": "*/0 * * * *"}, CRON),
    ({"schedule": "0 4 * * 1-"}, CRON),
    ({"schedule": "0 4 * * ,1"}, CRON),
    ({"schedule": "0 4 L * *"}, CRON),
    ({"schedule": "0 22-2 * * *"}, CRON_RANGES),
    ({"schedule": "0 4 * * 1-3,6-5/2"}, CRON_RANGES),
    (secret("1ST"), f"Each name in secrets {VARIABLE_NAME}"),
    (secret("CLOUD_RUN_JOB"), f"secrets {RESERVED}"),
    (
        secret() | {"environment": {"A": "a", "B": "b"}},
        "secrets and environment must not set the same variable: A.",
    ),
    (secret(secret="projects/example-project/secrets/a/versions/1"), SECRET),
    (secret(secret="a.b"), SECRET),
    (secret(secret=""), SECRET),
    (secret(version="latest"), VERSION),
    (secret(version="0"), VERSION),
    (secret(version=""), VERSION),
    ({"success_within_hours": 1}, SUCCESS),
    ({"success_within_hours": 841}, SUCCESS),
    ({"success_within_hours": 26.5}, SUCCESS),
    ({"task_count": 0}, TASK_COUNT),
    ({"task_count": 10001}, TASK_COUNT),
    ({"task_count": 1.5}, TASK_COUNT),
    ({"time_zone": "CEST"}, TIME_ZONE),
    ({"time_zone": "+02:00"}, TIME_ZONE),
    ({"time_zone": "Europe/"}, TIME_ZONE),
    ({"time_zone": ""}, TIME_ZONE),
    ({"timeout_seconds": 0}, TIMEOUT),
    ({"timeout_seconds": 604801}, TIMEOUT),
    ({"timeout_seconds": 1.5}, TIMEOUT),
    (vpc(egress="all"), "egress of vpc must be ALL_TRAFFIC or PRIVATE_RANGES_ONLY."),
    (vpc(network=""), "network of vpc must be a name such as default, or projects/PROJECT/global/networks/NAME."),
    (vpc(subnetwork="projects/example-project/subnetworks/a"), SUBNETWORK),
]
"""What differs from LEGAL, and all that is said of it."""


def said(terraform: Terraform, cases: list[dict[str, Any]]) -> list[list[str]]:
    """What Terraform finds wrong with each. What one variable says of another is known in a plan only."""
    messages = said_by("validate", terraform, cases)
    passed = [position for position, found in enumerate(messages) if not found]
    planned = said_by("plan", terraform, [cases[position] for position in passed])
    return [planned[passed.index(position)] if position in passed else found for position, found in enumerate(messages)]


def said_by(command: str, terraform: Terraform, cases: list[dict[str, Any]]) -> list[list[str]]:
    """All are looked at in one go, as a module each, on a line of its own."""
    modules = [
        f"{json.dumps(f'case_{position}')}: {json.dumps({'source': './export_job'} | LEGAL | case)}"
        for position, case in enumerate(cases)
    ]
    lines = ",\n".join(modules)
    terraform.configure(f'{{"module": {{\n{lines}\n}}}}', suffix=".tf.json")
    exit_code, output = terraform.run("init")
    assert exit_code == 0, output
    messages: list[list[str]] = [[] for _ in cases]
    for diagnostic in diagnostics(terraform.run(command, "-json").output):
        assert diagnostic["range"]["filename"] == "main.tf.json", diagnostic
        messages[diagnostic["range"]["start"]["line"] - 2].append(diagnostic["detail"].partition("\n\n")[0])
    return messages


def diagnostics(output: str) -> Iterator[dict[str, Any]]:
    """Of `validate`, which prints one document, and of `plan`, which prints one after another."""
    decoder = json.JSONDecoder()
    while output:
        document, end = decoder.raw_decode(output)
        output = output[end:].lstrip()
        yield from document.get("diagnostics", ())
        if "diagnostic" in document:
            yield document["diagnostic"]


@pytest.fixture(scope="module")
def refusals(caller: Terraform) -> list[list[str]]:
    return said(caller, [case for case, _ in REFUSED])


@pytest.mark.parametrize("position", range(len(REFUSED)), ids=[json.dumps(case) for case, _ in REFUSED])
def test_what_is_wrong_is_refused_in_words(position: int, refusals: list[list[str]]) -> None:
    assert refusals[position] == [REFUSED[position][1]]


def test_what_is_legal_is_accepted(caller: Terraform) -> None:
    assert dict(zip(map(json.dumps, ACCEPTED), said(caller, ACCEPTED), strict=True)) == {
        json.dumps(case): [] for case in ACCEPTED
    }


def test_every_rule_refuses_something() -> None:
    rules = sum(path.read_text("utf-8").count("  validation {") for path in EXPORT_JOB.glob("*.tf"))

    assert len({wording(message) for _, message in REFUSED}) == rules


def wording(message: str) -> str:
    """Without the numbers and names that differ from case to case."""
    return message.replace("4096", "512").replace("cpu is 8", "cpu is 1")
