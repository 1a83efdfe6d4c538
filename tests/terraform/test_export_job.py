"""What terraform/ plans around the warehouse: job, schedule, identities, all of their grants, alerts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from terraform.runner import MakeTerraform, Terraform

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
PROJECT = "example-project"
IMAGE = f"europe-west1-docker.pkg.dev/example-project/shop/app@sha256:{'0123456789abcdef' * 4}"
EXPORTER = "serviceAccount:smolqwery-exporter@example-project.iam.gserviceaccount.com"
INVOKER = "serviceAccount:smolqwery-invoker@example-project.iam.gserviceaccount.com"
CHANNELS = ["projects/example-project/notificationChannels/1234567890"]
DATABASE_GRANT = "projects/example-project/secrets/database-password"

EVERYTHING = {
    "args": ["smolqwery_extract", "departure"],
    "cloud_sql_instances": ["example-project:europe-west1:shop", "example-replicas:europe-west1:shop"],
    "command": ["python", "-X", "dev", "manage.py"],
    "cpu": "2",
    "environment": {"DJANGO_SETTINGS_MODULE": "shop.settings", "GREETING": 'say "${hello}" %{ if }'},
    "image": IMAGE,
    "max_retries": 0,
    "memory": "4Gi",
    "notification_channels": CHANNELS,
    "region": "europe-west3",
    "schedule": "*/20 4-6,22 * JAN-NOV mon-fri",
    "secrets": {
        "DATABASE_PASSWORD": {"secret": "database-password", "version": "3"},
        "OTHER_DATABASE_PASSWORD": {"secret": DATABASE_GRANT, "version": "4"},
        "SENTRY_DSN": {"secret": "projects/shared-secrets/secrets/sentry-dsn", "version": "1"},
    },
    "success_within_hours": 50,
    "task_count": 3,
    "time_zone": "America/New_York",
    "timeout_seconds": 7200,
    "vpc": {"network": "default", "subnetwork": "private", "egress": "ALL_TRAFFIC", "tags": ["export"]},
}

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def root(make_terraform: MakeTerraform) -> Terraform:
    return make_terraform(TERRAFORM)


@pytest.fixture(scope="module")
def without_image(root: Terraform) -> Resources:
    return planned(root)


@pytest.fixture(scope="module")
def smallest(root: Terraform) -> Resources:
    return planned(root, image=IMAGE)


@pytest.fixture(scope="module")
def everything(root: Terraform) -> Resources:
    return planned(root, **EVERYTHING)


def planned(root: Terraform, **variables: object) -> Resources:
    """The values of all resources by address, as far as they are known before an apply."""
    (root.directory / "terraform.tfvars.json").write_text(json.dumps({"project": PROJECT, **variables}), "utf-8")
    actions = root.plan()
    assert set(map(tuple, actions.values())) == {("create",)}
    return resources(root.show("plan"))


def resources(plan: Mapping[str, Any]) -> Resources:
    def walk(module: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for resource in module.get("resources", ()):
            yield resource["address"], {"type": resource["type"], **resource["values"]}
        for child in module.get("child_modules", ()):
            yield from walk(child)

    return dict(walk(plan["planned_values"]["root_module"]))


def of_type(resources: Resources, name: str) -> list[dict[str, Any]]:
    return [values for values in resources.values() if values["type"] == f"google_{name}"]


def only(resources: Resources, name: str) -> dict[str, Any]:
    (values,) = of_type(resources, name)
    return values


def grants(resources: Resources) -> set[tuple[str, str, str]]:
    """Whom, what, on what: every one in the plan."""
    return {
        (grant["member"], grant["role"], target(grant)) for grant in resources.values() if "_iam_m" in grant["type"]
    }


def target(grant: Mapping[str, Any]) -> str:
    """A project that is left out is the provider's."""
    kinds = {
        "google_bigquery_dataset_iam_member": "dataset {project}.{dataset_id}",
        "google_cloud_run_v2_job_iam_member": "job {project}/{location}/{name}",
        "google_project_iam_member": "project {project}",
        "google_secret_manager_secret_iam_member": "secret {project}/{secret_id}",
    }
    return kinds[grant["type"]].format(**{"project": PROJECT, **grant})


def within(actual: Any, expected: Any) -> Any:
    """Of what is planned, what is expected something of: the real provider plans every argument there is."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {name: within(actual.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and isinstance(actual, list) and len(actual) == len(expected):
        return [within(one, other) for one, other in zip(actual, expected, strict=True)]
    return actual


GROUPS = {
    ("group:analysts@example.com", "roles/bigquery.dataViewer", "dataset example-project.flights"),
    ("group:data-team@example.com", "roles/bigquery.dataEditor", "dataset example-project.flights"),
}
ALWAYS = {
    (EXPORTER, "projects/example-project/roles/smolqwery_jobs", "project example-project"),
    (EXPORTER, "projects/example-project/roles/smolqwery_rows", "dataset example-project.flights"),
    (EXPORTER, "projects/example-project/roles/smolqwery_staging", "dataset example-project.flights_exporter"),
}


def test_without_an_image_there_is_a_warehouse_and_no_job(without_image: Resources) -> None:
    assert {values["type"].removeprefix("google_") for values in without_image.values()} == {
        "bigquery_dataset",
        "bigquery_dataset_iam_member",
        "bigquery_table",
    }
    assert grants(without_image) == GROUPS


def test_every_grant_of_the_smallest_deployment(smallest: Resources) -> None:
    assert grants(smallest) == GROUPS | ALWAYS | {
        (INVOKER, "roles/run.invoker", "job example-project/europe-west1/smolqwery")
    }


def test_every_grant_of_a_deployment_with_everything(everything: Resources) -> None:
    assert grants(everything) == GROUPS | ALWAYS | {
        (INVOKER, "roles/run.invoker", "job example-project/europe-west3/smolqwery"),
        (EXPORTER, "roles/cloudsql.client", "project example-project"),
        (EXPORTER, "roles/cloudsql.client", "project example-replicas"),
        (EXPORTER, "roles/secretmanager.secretAccessor", "secret example-project/database-password"),
        (EXPORTER, "roles/secretmanager.secretAccessor", "secret shared-secrets/sentry-dsn"),
    }


def test_nobody_gets_access_in_another_way(everything: Resources) -> None:
    """No policy or binding that would take somebody's access away, no key, no public principal."""
    assert {values["type"].removeprefix("google_") for values in everything.values()} == {
        "bigquery_dataset",
        "bigquery_dataset_iam_member",
        "bigquery_table",
        "cloud_run_v2_job",
        "cloud_run_v2_job_iam_member",
        "cloud_scheduler_job",
        "monitoring_alert_policy",
        "project_iam_custom_role",
        "project_iam_member",
        "secret_manager_secret_iam_member",
        "service_account",
    }


def test_the_exporter_can_neither_create_nor_alter_nor_drop_a_table_of_the_warehouse(everything: Resources) -> None:
    roles = {role["role_id"]: set(role["permissions"]) for role in of_type(everything, "project_iam_custom_role")}

    assert roles == {
        "smolqwery_jobs": {"bigquery.jobs.create", "bigquery.jobs.get"},
        "smolqwery_rows": {"bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.updateData"},
        "smolqwery_staging": {
            "bigquery.tables.create",
            "bigquery.tables.get",
            "bigquery.tables.getData",
            "bigquery.tables.updateData",
        },
    }


def test_a_grant_of_cloud_sql_is_for_one_instance_and_not_for_all_of_a_project(everything: Resources) -> None:
    conditions = {
        grant["project"]: grant["condition"]
        for grant in of_type(everything, "project_iam_member")
        if grant["role"] == "roles/cloudsql.client"
    }

    assert conditions == {
        project: [
            {
                "title": "smolqwery: one instance",
                "description": f"Only {project}:europe-west1:shop.",
                "expression": 'resource.type == "sqladmin.googleapis.com/Instance" && '
                f'resource.name == "projects/{project}/instances/shop"',
            }
        ]
        for project in ("example-project", "example-replicas")
    }


def test_the_job_with_everything(everything: Resources) -> None:
    expected = {
        "project": PROJECT,
        "location": "europe-west3",
        "name": "smolqwery",
        "deletion_protection": True,
    }
    task = {
        "max_retries": 0,
        "service_account": EXPORTER.removeprefix("serviceAccount:"),
        "timeout": "7200s",
        "volumes": [
            {"name": "cloudsql", "cloud_sql_instance": [{"instances": EVERYTHING["cloud_sql_instances"]}]},
        ],
        "vpc_access": [
            {
                "egress": "ALL_TRAFFIC",
                "network_interfaces": [{"network": "default", "subnetwork": "private", "tags": ["export"]}],
            }
        ],
    }
    container = {
        "args": ["smolqwery_extract", "departure"],
        "command": ["python", "-X", "dev", "manage.py"],
        "image": IMAGE,
        "resources": [{"limits": {"cpu": "2", "memory": "4Gi"}}],
        "volume_mounts": [{"name": "cloudsql", "mount_path": "/cloudsql"}],
    }
    job = only(everything, "cloud_run_v2_job")
    (template,) = job["template"]
    (inner,) = template["template"]
    (main,) = inner["containers"]

    assert within(job, expected) == expected
    assert (template["task_count"], template["parallelism"]) == (3, 3)
    assert within(inner, task) == task
    assert within(main, container) == container
    assert environment(main) == {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "GREETING": 'say "${hello}" %{ if }',
        "DATABASE_PASSWORD": ("database-password", "3"),
        "OTHER_DATABASE_PASSWORD": (DATABASE_GRANT, "4"),
        "SENTRY_DSN": ("projects/shared-secrets/secrets/sentry-dsn", "1"),
    }


def environment(container: Mapping[str, Any]) -> dict[str, Any]:
    def value(variable: Mapping[str, Any]) -> object:
        for source in variable["value_source"]:
            (reference,) = source["secret_key_ref"]
            assert not variable["value"]
            return reference["secret"], reference["version"]
        return variable["value"]

    return {variable["name"]: value(variable) for variable in container["env"]}


def test_the_smallest_job_has_no_option(smallest: Resources) -> None:
    (template,) = only(smallest, "cloud_run_v2_job")["template"]
    (inner,) = template["template"]
    (main,) = inner["containers"]

    assert (template["task_count"], template["parallelism"]) == (1, 1)
    assert (main["command"], main["args"]) == (["python", "manage.py"], ["smolqwery_extract"])
    assert (inner["volumes"], inner["vpc_access"], main["volume_mounts"], main["env"]) == ([], [], [], [])
    assert (inner["timeout"], inner["max_retries"]) == ("3600s", 1)


def test_the_schedule_starts_this_job_as_the_invoker(everything: Resources) -> None:
    expected = {
        "project": PROJECT,
        "region": "europe-west3",
        "name": "smolqwery",
        "schedule": "*/20 4-6,22 * JAN-NOV mon-fri",
        "time_zone": "America/New_York",
        "paused": False,
        "attempt_deadline": "60s",
        "retry_config": [{"retry_count": 3, "min_backoff_duration": "30s", "max_backoff_duration": "300s"}],
        "http_target": [
            {
                "http_method": "POST",
                "uri": "https://run.googleapis.com/v2/projects/example-project/locations/europe-west3/jobs/smolqwery:run",
                "oauth_token": [
                    {
                        "service_account_email": INVOKER.removeprefix("serviceAccount:"),
                        "scope": "https://www.googleapis.com/auth/cloud-platform",
                    }
                ],
            }
        ],
    }

    assert within(only(everything, "cloud_scheduler_job"), expected) == expected


def test_the_three_alerts(everything: Resources) -> None:
    policies = {policy["display_name"]: policy for policy in of_type(everything, "monitoring_alert_policy")}
    conditions = {name: watched(policy) for name, policy in policies.items()}

    assert conditions == {
        "smolqwery: an export failed": 'metric.type = "run.googleapis.com/job/completed_execution_count" AND '
        'metric.labels.result = "failed" AND resource.type = "cloud_run_job" AND '
        'resource.labels.project_id = "example-project" AND resource.labels.job_name = "smolqwery" AND '
        'resource.labels.location = "europe-west3"',
        "smolqwery: no export for 50 hours": "absent_over_time(run_googleapis_com:job_completed_execution_count"
        '{monitored_resource="cloud_run_job",project_id="example-project",job_name="smolqwery",location="europe-west3",result="succeeded"}[49h])',
        "smolqwery: the schedule could not start an export": 'resource.type = "cloud_scheduler_job" AND '
        'resource.labels.job_id = "smolqwery" AND resource.labels.location = "europe-west3" AND severity >= ERROR',
    }
    assert {(policy["enabled"], tuple(policy["notification_channels"])) for policy in policies.values()} == {
        (True, tuple(CHANNELS))
    }


def watched(policy: Mapping[str, Any]) -> str:
    (condition,) = policy["conditions"]
    texts = [
        part.get("filter") or part.get("query")
        for name, parts in condition.items()
        if name.startswith("condition_") and parts
        for part in parts
    ]
    (text,) = texts
    return str(text)


def test_a_paused_schedule_is_no_alarm(root: Terraform) -> None:
    paused = planned(root, image=IMAGE, paused=True)

    assert only(paused, "cloud_scheduler_job")["paused"] is True
    assert {policy["display_name"]: policy["enabled"] for policy in of_type(paused, "monitoring_alert_policy")} == {
        "smolqwery: an export failed": True,
        "smolqwery: no export for 26 hours": False,
        "smolqwery: the schedule could not start an export": True,
    }


MODULE = {
    "source": "./export_job",
    "project": PROJECT,
    "region": "europe-west1",
    "image": IMAGE,
    "dataset_id": "flights",
    "exporter_dataset_id": "flights_exporter",
}


def configured(caller: Terraform, configuration: Mapping[str, Any]) -> Terraform:
    caller.configure(configuration)
    exit_code, output = caller.run("init")
    assert exit_code == 0, output
    return caller


def test_two_jobs_in_one_project_share_no_name_and_may_have_their_tables_elsewhere(caller: Terraform) -> None:
    export = MODULE | {"dataset_project": "example-warehouse"}
    replace = export | {"name": "smolqwery-replace", "schedule": "0 6 * * 1"}
    terraform = configured(caller, {"module": {"export": export, "replace": replace}})

    terraform.plan()

    both = resources(terraform.show("plan"))
    keys = {
        "google_monitoring_alert_policy": "display_name",
        "google_project_iam_custom_role": "role_id",
        "google_service_account": "account_id",
    }
    names = [
        (values["type"], values[keys.get(values["type"], "name")])
        for values in both.values()
        if "_iam_m" not in values["type"]
    ]
    assert len(names) == len(set(names)) == 20
    assert {(grant["role"], target(grant)) for grant in both.values() if "_iam_m" in grant["type"]} == {
        (f"projects/example-warehouse/roles/{name}_{suffix}", where)
        for name in ("smolqwery", "smolqwery_replace")
        for suffix, where in [
            ("jobs", "project example-warehouse"),
            ("rows", "dataset example-warehouse.flights"),
            ("staging", "dataset example-warehouse.flights_exporter"),
        ]
    } | {
        ("roles/run.invoker", "job example-project/europe-west1/smolqwery"),
        ("roles/run.invoker", "job example-project/europe-west1/smolqwery-replace"),
    }


def test_what_is_made_in_the_same_apply_can_be_passed(caller: Terraform) -> None:
    later = "${terraform_data.later.output}"
    arguments = MODULE | {
        "cloud_sql_instances": [later],
        "environment": {"DATABASE": later},
        "image": later,
        "notification_channels": [later],
        "secrets": {"PASSWORD": {"secret": "password", "version": later}},
        "vpc": {"network": later, "subnetwork": later},
    }
    terraform = configured(
        caller, {"resource": {"terraform_data": {"later": {"input": "later"}}}, "module": {"export": arguments}}
    )

    assert "module.export.google_project_iam_member.exporter_cloud_sql[0]" in terraform.plan()
