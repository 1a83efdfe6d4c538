"""The exporter's job and what belongs to it, in Google's cloud → what runs, when, as whom, and who hears of it.

Values are shown of the settings named here alone. Environment variables have only their names: a value may be a
password that nobody marked as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.plans.attributes import label_findings, rest_findings, text_findings
from codegen.plans.change import UNKNOWN, Action
from codegen.plans.finding import loud, plain
from codegen.plans.lifecycle import because
from codegen.plans.markdown import code, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding
    from codegen.plans.trees import Step

_TASK: tuple[Step, ...] = ("template", 0, "template", 0)
_CONTAINER: tuple[Step, ...] = (*_TASK, "containers", 0)
_SETTINGS: Mapping[str, Mapping[str, tuple[Step, ...]]] = {
    "google_cloud_run_v2_job": {
        "name": ("name",),
        "region": ("location",),
        "image": (*_CONTAINER, "image"),
        "command": (*_CONTAINER, "command"),
        "arguments": (*_CONTAINER, "args"),
        "CPUs and memory": (*_CONTAINER, "resources", 0, "limits"),
        "runs as": (*_TASK, "service_account"),
        "ends at the latest after": (*_TASK, "timeout"),
        "retries": (*_TASK, "max_retries"),
        "tasks": ("template", 0, "task_count"),
        "tasks at a time": ("template", 0, "parallelism"),
        "way into the network": (*_TASK, "vpc_access", 0, "egress"),
        "deletion protection": ("deletion_protection",),
    },
    "google_cloud_scheduler_job": {
        "name": ("name",),
        "region": ("region",),
        "schedule": ("schedule",),
        "time zone": ("time_zone",),
        "paused": ("paused",),
        "calls": ("http_target", 0, "uri"),
        "calls as": ("http_target", 0, "oauth_token", 0, "service_account_email"),
        "waits for an answer": ("attempt_deadline",),
        "retries": ("retry_config", 0, "retry_count"),
    },
    "google_service_account": {"name": ("account_id",), "title": ("display_name",), "disabled": ("disabled",)},
    "google_secret_manager_secret": {"name": ("secret_id",)},
    "google_secret_manager_secret_version": {"secret": ("secret",), "enabled": ("enabled",)},
    "google_monitoring_alert_policy": {
        "name": ("display_name",),
        "enabled": ("enabled",),
        "tells": ("notification_channels",),
        "severity": ("severity",),
    },
    "google_monitoring_notification_channel": {"name": ("display_name",), "type": ("type",), "enabled": ("enabled",)},
    "google_project_iam_custom_role": {"name": ("role_id",), "title": ("title",), "project": ("project",)},
}


def is_of_the_job(resource_type: str) -> bool:
    return resource_type in _SETTINGS


def job_findings(change: Change) -> Iterator[Finding]:
    if change.ends:
        again = " and made again" if change.action is Action.replace else ""
        yield loud(f"would be deleted{again}{because(change)}")
    if change.action in (Action.delete, Action.forget, Action.nothing):
        return
    settings = _SETTINGS[change.type]
    for name, path in settings.items():
        new = change.new(*path)
        if change.action is Action.create:
            if new not in (None, "", [], False):
                yield plain(f"{name}: {_shown(change, path, old=False)}")
        elif change.differs(*path):
            text = f"{name}: {_shown(change, path, old=True)} → {_shown(change, path, old=False)}"
            is_guard = name == "deletion protection" and new is not True
            yield loud(text) if is_guard or (name == "paused" and new is not False) else plain(text)
    yield from _environment(change)
    yield from _permissions(change)
    known = [*settings.values(), (*_CONTAINER, "env"), ("permissions",), ("labels",), ("description",)]
    yield from text_findings(change, "description")
    yield from label_findings(change)
    yield from rest_findings(change, known)


def _shown(change: Change, path: tuple[Step, ...], *, old: bool) -> str:
    value = change.old(*path) if old else change.new(*path)
    if isinstance(value, list) and value and not change.is_sensitive(*path):
        return " ".join(map(code, value))
    if isinstance(value, dict) and value and not change.is_sensitive(*path):
        return listed(code(f"{name} {value[name]}") for name in sorted(value))
    return change.show_old(*path) if old else change.show_new(*path)


def _environment(change: Change) -> Iterator[Finding]:
    old, new = (_variables(get(*_CONTAINER, "env")) for get in (change.old, change.known))
    for name in sorted({*old, *new}):
        if name not in new:
            yield plain(f"environment variable {code(name)} is removed")
        elif name not in old:
            yield plain(f"new environment variable {code(name)}{_source(new[name])}")
        elif old[name] != new[name]:
            yield plain(f"environment variable {code(name)} gets another value{_source(new[name])}")
    if change.action is not Action.create and change.new(*_CONTAINER, "env") is UNKNOWN:
        yield plain("values of environment variables: (known after apply)")


def _variables(variables: Any) -> dict[str, dict[str, Any]]:
    """By name."""
    elements = variables if isinstance(variables, list) else []
    return {str(one.get("name")): one for one in elements if isinstance(one, dict)}


def _source(variable: dict[str, Any]) -> str:
    """A secret's name and version say where the value is, and nothing of it."""
    source: Any = variable
    for step in ("value_source", "secret_key_ref"):
        source = source.get(step) if isinstance(source, dict) else None
        source = source[0] if isinstance(source, list) and source else source
    if not isinstance(source, dict) or not source.get("secret"):
        return ""
    version = f", version {code(source['version'])}" if source.get("version") else ""
    return f" from the secret {code(source['secret'])}{version}"


def _permissions(change: Change) -> Iterator[Finding]:
    """Of a role of one's own, which whoever has it gains or loses."""
    old, new = (_texts(get("permissions")) for get in (change.old, change.known))
    for permission in sorted(new - old):
        yield plain(f"who has this role may {code(permission)}")
    for permission in sorted(old - new):
        yield plain(f"who has this role may no longer {code(permission)}")


def _texts(value: Any) -> set[str]:
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()
