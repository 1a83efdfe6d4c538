"""Repairs of datasets: who has access, what a dataset remembers, what may be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bqemulator.api.routes import datasets as routes
from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from bqemulator.catalog.models import AccessEntry, DatasetMeta
from bqemulator.domain.errors import ResourceInUseError, ResourceRef, resource_not_found
from starlette.responses import JSONResponse

from emulator.repairs.replace import answers, replaces

if TYPE_CHECKING:
    from bqemulator.api.dependencies import AppContext
    from bqemulator.domain.clock import Clock
    from starlette.requests import Request
    from starlette.responses import Response

# Datasets answer these roles with their legacy names. The provider translates them back
# (google/services/bigquery/iam_bigquery_member_dataset.go, "API changes certain IAM roles to legacy roles").
_LEGACY_ROLES = {
    "roles/bigquery.dataOwner": "OWNER",
    "roles/bigquery.dataEditor": "WRITER",
    "roles/bigquery.dataViewer": "READER",
}
# What Terraform can set and bqemulator has no field for.
_REMEMBERED = ("defaultCollation", "isCaseInsensitive", "maxTimeTravelHours", "resourceTags", "storageBillingModel")


class Dataset(DatasetMeta):
    remembered: dict[str, Any] = {}  # noqa: RUF012 pydantic copies defaults


def repair(context: AppContext) -> None:
    _give_default_access()
    _normalise_access()
    _remember_all()
    _replace_at_put(context)
    _refuse_to_delete_contents()


def _give_default_access() -> None:
    """datasets.insert: without `access`, BigQuery adds these four. bqemulator adds none, and the provider's
    dataset_iam_member fails on a dataset without a list.
    """
    create = MemoryCatalogRepository.create_dataset

    @replaces(MemoryCatalogRepository, "create_dataset")
    def create_dataset(self: MemoryCatalogRepository, dataset: DatasetMeta) -> DatasetMeta:
        default = (
            AccessEntry(role="WRITER", special_group="projectWriters"),
            AccessEntry(role="OWNER", special_group="projectOwners"),
            AccessEntry(role="OWNER", user_by_email=f"terraform@{dataset.project_id}.iam.gserviceaccount.com"),
            AccessEntry(role="READER", special_group="projectReaders"),
        )
        return create(self, dataset.model_copy(update={"access_entries": dataset.access_entries or default}))


def _normalise_access() -> None:
    """BigQuery stores e-mails in lower case, the three basic roles by their legacy names, and each entry once."""
    entry = routes._rest_to_access_entry
    entries = routes._parse_access_entries

    @replaces(routes, "_rest_to_access_entry")
    def rest_to_access_entry(raw: dict[str, Any]) -> AccessEntry:
        emails = {key: raw[key].lower() for key in ("userByEmail", "groupByEmail") if key in raw}
        role = {"role": _LEGACY_ROLES.get(raw["role"], raw["role"])} if "role" in raw else {}
        return entry(raw | emails | role)

    @replaces(routes, "_parse_access_entries")
    def parse_access_entries(raw: object) -> tuple[AccessEntry, ...]:
        return tuple(dict.fromkeys(entries(raw)))


def _remember_all() -> None:
    """What was written comes back. bqemulator forgets what it has no field for, and fails on a label that is null."""
    to_meta, to_rest = routes._rest_to_dataset_meta, routes._dataset_to_rest

    @replaces(routes, "_rest_to_dataset_meta")
    def rest_to_dataset_meta(
        project: str, body: dict[str, Any], clock: Clock, existing: DatasetMeta | None = None
    ) -> DatasetMeta:
        # An update merges labels, and null removes one.
        labels = {**(existing.labels if existing else {}), **(body.get("labels") or {})}
        body = body | {"labels": {key: value for key, value in labels.items() if value is not None}}
        remembered = {**getattr(existing, "remembered", {}), **{key: body[key] for key in _REMEMBERED if key in body}}
        return Dataset(**dict(to_meta(project, body, clock, existing)), remembered=remembered)

    @replaces(routes, "_dataset_to_rest")
    def dataset_to_rest(dataset: DatasetMeta) -> dict[str, Any]:
        return to_rest(dataset) | getattr(dataset, "remembered", {})


def _replace_at_put(context: AppContext) -> None:
    """PUT replaces a dataset: what is not in the request is gone, `access` excepted, which the provider leaves out
    on purpose (resourceBigQueryDatasetUpdateEncoder). bqemulator treats PUT as PATCH.
    """

    @answers(routes.router, "PUT", "/projects/{project_id}/datasets/{dataset_id}")
    async def update_dataset(request: Request) -> Response:
        project, dataset = request.path_params["project_id"], request.path_params["dataset_id"]
        existing = context.catalog.get_dataset(project, dataset)
        if existing is None:
            raise resource_not_found(ResourceRef("dataset", project, dataset))
        kept = Dataset(
            project_id=project,
            dataset_id=dataset,
            location=existing.location,
            access_entries=existing.access_entries,
            creation_time=existing.creation_time,
            last_modified_time=existing.last_modified_time,
            etag=existing.etag,
        )
        body = await request.json() | {"datasetReference": {"projectId": project, "datasetId": dataset}}
        updated = routes._rest_to_dataset_meta(project, body, context.clock, kept)
        return JSONResponse(routes._dataset_to_rest(context.catalog.update_dataset(updated)))


def _refuse_to_delete_contents() -> None:
    """datasets.delete: 400 for a dataset that is not empty. bqemulator answers 404, which Terraform reads as gone."""
    delete = MemoryCatalogRepository.delete_dataset

    @replaces(MemoryCatalogRepository, "delete_dataset")
    def delete_dataset(
        self: MemoryCatalogRepository,
        project_id: str,
        dataset_id: str,
        *,
        not_found_ok: bool = False,
        delete_contents: bool = False,
    ) -> None:
        if self.list_tables(project_id, dataset_id) and not delete_contents:
            raise ResourceInUseError(f"Dataset {project_id}:{dataset_id} is still in use")
        delete(self, project_id, dataset_id, not_found_ok=not_found_ok, delete_contents=delete_contents)
