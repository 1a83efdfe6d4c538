"""`google_bigquery_dataset_iam_member` → one entry in the access list of its dataset."""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING

from terraform.stand_in_provider.access import Entry, member_with, with_grant, without_grant
from terraform.stand_in_provider.bigquery import dataset_path
from terraform.stand_in_provider.errors import ApiError, ImportIdError
from terraform.stand_in_provider.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from terraform.stand_in_provider.plan import State

# Terraform works on ten resources at a time, and BigQuery replaces the whole list. Without this lock, two grants on a
# dataset read the same list, and the one that is written first is lost.
_access_lock = Lock()

_MEMBER = r".+:.+|projectOwners|projectReaders|projectWriters|allUsers|allAuthenticatedUsers"
_CASE_SENSITIVE = r"principal(Set|Hierarchy)?:.*|.*(allUsers|allAuthenticatedUsers).*"


class DatasetIamMember(Resource):
    type_name = "google_bigquery_dataset_iam_member"

    def problems(self, config: State) -> Iterator[tuple[str, str]]:
        member = config["member"]
        if isinstance(member, str) and member.startswith("deleted"):
            yield "member", "Terraform does not support IAM members for deleted principals."
        elif isinstance(member, str) and not re.fullmatch(_MEMBER, member):
            yield "member", f'"{member}" is no IAM member, such as group:analysts@example.com.'

    def plan_computed(self, prior: State | None, state: State, _config: State) -> State:
        if prior and str(prior["member"]).lower() == str(state["member"]).lower():
            return {"member": prior["member"]}  # e-mail addresses know no case
        return {}

    def create(self, _context: object, planned: State) -> State | None:
        role, member = planned["role"], planned["member"]
        self._change_access(planned, lambda access: with_grant(access, role, member))
        name = f"projects/{self.project(planned)}/datasets/{planned['dataset_id']}"
        return self.read(None, planned | {"id": f"{name}/{role}/{_normalized(member)}"})

    def read(self, _context: object, current: State) -> State | None:
        answer = self.bigquery.get(self._path(current), context=self._context(current))
        member = member_with((answer or {}).get("access") or [], current["role"], current["member"])
        if member is None:
            return None
        # No etag: the real provider makes its policy from the list, which has none.
        return current | {"project": self.project(current), "member": member, "etag": ""}

    def update(self, _context: object, _current: State, planned: State) -> State:
        return planned  # never called: everything forces a new one

    def delete(self, _context: object, current: State) -> None:
        role, member = current["role"], current["member"]
        try:
            self._change_access(current, lambda access: without_grant(access, role, member))
        except ApiError as error:
            if not error.is_not_found:
                raise

    def import_(self, _context: object, import_id: str) -> State:
        match = re.fullmatch(r"(?:projects/([^/\s]+)/datasets/)?([^/\s]+)\s+(\S+)\s+(\S+)", import_id)
        if match is None:
            raise ImportIdError(import_id, '"projects/PROJECT/datasets/DATASET ROLE MEMBER"')
        project, dataset_id, role, member = (
            self.project({"project": match[1]}),
            match[2],
            match[3],
            _normalized(match[4]),
        )
        return self.contract().empty_state() | {
            "id": f"projects/{project}/datasets/{dataset_id}/{role}/{member}",
            "project": project,
            "dataset_id": dataset_id,
            "role": role,
            "member": member,
        }

    def _change_access(self, state: State, change: Callable[[list[Entry]], list[Entry]]) -> None:
        path = self._path(state)
        with _access_lock:
            access = self.bigquery.request("GET", path, context=self._context(state)).get("access") or []
            body = {"access": change(access)}
            self.bigquery.request("PATCH", path, context="Error creating DatasetAccess: ", body=body)

    def _context(self, state: State) -> str:
        return f"Error retrieving IAM policy for Bigquery Dataset {self.project(state)}/{state['dataset_id']}: "

    def _path(self, state: State) -> str:
        return dataset_path(self.project(state), state["dataset_id"]) + "?accessPolicyVersion=3"


def _normalized(member: str) -> str:
    if re.fullmatch(_CASE_SENSITIVE, member):
        return member
    kind, colon, name = member.partition(":")
    return kind + colon + name.lower()
