"""`google_cloud_identity_group` → a plan, and no more: the stand-in knows no Cloud Identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from terraform.stand_in_provider.errors import StandInError
from terraform.stand_in_provider.protection import planned_policy
from terraform.stand_in_provider.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terraform.stand_in_provider.plan import State


class NoCloudIdentityError(StandInError):
    def __init__(self) -> None:
        super().__init__("There is no Cloud Identity here", "The stand-in for hashicorp/google only plans its groups.")


class CloudIdentityGroup(Resource):
    type_name = "google_cloud_identity_group"

    def problems(self, _config: State) -> Iterator[tuple[str, str]]:
        yield from ()

    def plan_computed(self, _prior: State | None, _state: State, config: State) -> State:
        return {"deletion_policy": planned_policy(config, self.configuration.deletion_policy)}

    def create(self, _context: object, _planned: State) -> State | None:
        raise NoCloudIdentityError

    def read(self, _context: object, _current: State) -> State | None:
        raise NoCloudIdentityError

    def update(self, _context: object, _current: State, _planned: State) -> State | None:
        raise NoCloudIdentityError

    def delete(self, _context: object, _current: State) -> None:
        raise NoCloudIdentityError

    def import_(self, _context: object, _import_id: str) -> State:
        raise NoCloudIdentityError
