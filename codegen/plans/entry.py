"""A change → `Entry`: what the resource is to a reader, its name, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from codegen.plans.access import is_grant
from codegen.plans.change import Action
from codegen.plans.finding import plain
from codegen.plans.grants import grant_findings
from codegen.plans.job import is_of_the_job, job_findings
from codegen.plans.lifecycle import lifecycle_findings
from codegen.plans.markdown import code
from codegen.plans.others import other_findings
from codegen.plans.tables import dataset_findings, is_view, table_findings, view_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codegen.plans.change import Change
    from codegen.plans.finding import Finding


class Subject(Enum):
    """In the order of the report. The value is the noun of the verdict."""

    dataset = "dataset"
    table = "table"
    view = "view"
    access = "grant"
    job = "resource of the job"
    other = "other resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`name` is Markdown. Without findings there is nothing to tell."""

    subject: Subject
    name: str
    change: Change
    findings: tuple[Finding, ...]


_FINDINGS: dict[Subject, Callable[[Change], Iterator[Finding]]] = {
    Subject.dataset: dataset_findings,
    Subject.table: table_findings,
    Subject.view: view_findings,
    Subject.access: grant_findings,
    Subject.job: job_findings,
    Subject.other: other_findings,
}


def entry_of(change: Change) -> Entry:
    subject = _subject(change)
    findings = (*lifecycle_findings(change), *_FINDINGS[subject](change))
    return Entry(subject=subject, name=_name(subject, change), change=change, findings=findings)


def findings_of(change: Change) -> tuple[Finding, ...]:
    """Without what concerns only Terraform's own records."""
    return tuple(_FINDINGS[_subject(change)](change))


def said(entry: Entry) -> tuple[Finding, ...]:
    """What Terraform would do without a reason that can be seen, it does not do silently."""
    if entry.findings or entry.change.action is not Action.update:
        return entry.findings
    return (plain("Terraform writes it again; no setting that a person makes changes"),)


def is_told(entry: Entry) -> bool:
    return bool(entry.findings) or entry.change.action is not Action.nothing


def _subject(change: Change) -> Subject:
    if change.is_data:
        return Subject.other
    if change.type == "google_bigquery_dataset":
        return Subject.dataset
    if change.type == "google_bigquery_table":
        return Subject.view if is_view(change) else Subject.table
    if is_grant(change.type):
        return Subject.access
    return Subject.job if is_of_the_job(change.type) else Subject.other


def _name(subject: Subject, change: Change) -> str:
    if subject not in (Subject.dataset, Subject.table, Subject.view):
        return code(change.address)
    attributes = ("dataset_id",) if subject is Subject.dataset else ("dataset_id", "table_id")
    if any(map(change.is_sensitive, attributes)):
        return code(change.address)
    values = [change.now(attribute) for attribute in attributes]
    names = [value for value in values if isinstance(value, str) and value]
    return code(".".join(names)) if len(names) == len(attributes) else code(change.address)
