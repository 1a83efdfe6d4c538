"""What the resources share: their contract, their project, and the methods that `tf` calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from terraform.stand_in_provider.contract import Contract, contract
from terraform.stand_in_provider.errors import ProjectMissingError
from terraform.stand_in_provider.plan import Path, Plan, State, force_new_paths, planned_state, same
from terraform.stand_in_provider.tf_schema import tf_schema
from terraform.stand_in_provider.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from terraform.stand_in_provider.bigquery import BigQuery
    from terraform.stand_in_provider.configuration import Configuration


class Configured(Protocol):
    """The provider, once Terraform has configured it."""

    configuration: Configuration
    bigquery: BigQuery


class Diagnostics(Protocol):
    def add_error(self, summary: str, detail: str, path: list[str]) -> object: ...


class Resource(ABC):
    """`tf` passes contexts that nobody needs: whatever goes wrong is raised, and becomes a diagnostic in one place."""

    type_name: ClassVar[str]

    def __init__(self, provider: Configured) -> None:
        self._provider = provider

    @classmethod
    def get_name(cls) -> str:
        return cls.type_name.removeprefix("google_")

    @classmethod
    def get_schema(cls) -> Any:
        return tf_schema(cls.contract())

    @classmethod
    def contract(cls) -> Contract:
        return contract(cls.type_name)

    @property
    def configuration(self) -> Configuration:
        return self._provider.configuration

    @property
    def bigquery(self) -> BigQuery:
        return self._provider.bigquery

    def validate(self, diagnostics: Diagnostics, _type_name: str, config: State) -> None:
        for argument, problem in self.problems(config):
            diagnostics.add_error(f"invalid value for {argument}", problem, [argument])

    @abstractmethod
    def problems(self, config: State) -> Iterator[tuple[str, str]]:
        """Arguments that can be seen to be wrong without BigQuery. Unknown values are of no type, and pass."""

    def plan(self, prior: State | None, proposed: State, config: State) -> Plan:
        state = planned_state(self.contract(), prior, proposed)
        state |= self.plan_computed(prior, state, config)
        if prior is None:
            return Plan(state=state, replaced_by=())
        forced = force_new_paths(self.contract(), prior, state) + self.plan_replaced_by(prior, state)
        return Plan(state=state, replaced_by=forced)

    @abstractmethod
    def plan_computed(self, prior: State | None, state: State, config: State) -> State:
        """Values that the provider works out itself, and those that only look changed."""

    def plan_replaced_by(self, _prior: State, _state: State) -> tuple[Path, ...]:
        """Beyond the contract's `force_new`."""
        return ()

    @abstractmethod
    def create(self, _context: object, planned: State) -> State | None: ...

    @abstractmethod
    def read(self, _context: object, current: State) -> State | None: ...

    @abstractmethod
    def update(self, _context: object, current: State, planned: State) -> State | None: ...

    @abstractmethod
    def delete(self, _context: object, current: State) -> None: ...

    @abstractmethod
    def import_(self, _context: object, import_id: str) -> State: ...

    def project(self, state: State) -> str:
        """The resource's own, or else the provider's."""
        own = state.get("project")
        if isinstance(own, str) and own:
            return own
        if self.configuration.project is None:
            raise ProjectMissingError(self.type_name)
        return self.configuration.project

    def planned_project(self, state: State, config: State) -> object:
        """Known in the plan, unless the configuration itself names one that is not."""
        if state["project"] is Unknown and config["project"] is not Unknown:
            return self.project(state)
        return state["project"]


def changed(current: State, planned: State) -> set[str]:
    return {name for name, value in planned.items() if value is not Unknown and not same(current[name], value)}
