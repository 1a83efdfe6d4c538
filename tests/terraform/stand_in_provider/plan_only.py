"""Resources that no emulator has: planned as the real provider would create them, and never applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from terraform.stand_in_provider.errors import PlanOnlyError
from terraform.stand_in_provider.protection import planned_policy
from terraform.stand_in_provider.resource import Resource
from terraform.stand_in_provider.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terraform.stand_in_provider.plan import State


class PlanOnly(Resource):
    def problems(self, _config: State) -> Iterator[tuple[str, str]]:
        """Names, types and what is required is Terraform's own to check, by the schema."""
        yield from ()

    def plan_computed(self, _prior: State | None, state: State, config: State) -> State:
        """What every type of the real provider that has such an argument works out alike."""
        computed: State = {}
        if "project" in state:
            computed["project"] = self.planned_project(state, config)
        if "deletion_policy" in state:
            computed["deletion_policy"] = planned_policy(config, self.configuration.deletion_policy)
        return computed

    def create(self, _context: object, _planned: State) -> NoReturn:
        raise PlanOnlyError(self.type_name)

    def read(self, _context: object, _current: State) -> NoReturn:
        raise PlanOnlyError(self.type_name)

    def update(self, _context: object, _current: State, _planned: State) -> NoReturn:
        raise PlanOnlyError(self.type_name)

    def delete(self, _context: object, _current: State) -> NoReturn:
        raise PlanOnlyError(self.type_name)

    def import_(self, _context: object, _import_id: str) -> NoReturn:
        raise PlanOnlyError(self.type_name)


class AlertPolicy(PlanOnly):
    type_name = "google_monitoring_alert_policy"


class CloudIdentityGroup(PlanOnly):
    type_name = "google_cloud_identity_group"


class CloudRunJob(PlanOnly):
    type_name = "google_cloud_run_v2_job"


class CloudRunJobIamMember(PlanOnly):
    type_name = "google_cloud_run_v2_job_iam_member"


class CloudSchedulerJob(PlanOnly):
    type_name = "google_cloud_scheduler_job"


class CustomRole(PlanOnly):
    type_name = "google_project_iam_custom_role"


class ProjectIamMember(PlanOnly):
    type_name = "google_project_iam_member"


class SecretIamMember(PlanOnly):
    type_name = "google_secret_manager_secret_iam_member"


class ServiceAccount(PlanOnly):
    type_name = "google_service_account"

    def plan_computed(self, prior: State | None, state: State, config: State) -> State:
        """Its address is known before it exists, so a plan can say who gets what."""
        computed = super().plan_computed(prior, state, config)
        if state["account_id"] is Unknown or computed["project"] is Unknown:
            return computed
        email = f"{state['account_id']}@{computed['project']}.iam.gserviceaccount.com"
        return computed | {"email": email, "member": f"serviceAccount:{email}"}


PLAN_ONLY: list[type[Resource]] = [
    AlertPolicy,
    CloudIdentityGroup,
    CloudRunJob,
    CloudRunJobIamMember,
    CloudSchedulerJob,
    CustomRole,
    ProjectIamMember,
    SecretIamMember,
    ServiceAccount,
]
