"""Terraform's requests → our resources, where `tf` has no room for what the real provider does.

Its plan knows neither a replacement that depends on the values (a column's type) nor one by a nested argument (the
partition column), and its errors reach nobody. The rest of the protocol is tf's.
"""

from __future__ import annotations

from typing import Any

from tf import utils
from tf.gen import tfplugin_pb2 as pb
from tf.provider import ProviderServicer

from terraform.stand_in_provider.errors import StandInError
from terraform.stand_in_provider.unknown import Unknown

# Terraform tells what it knows of an unknown value ("not null", "begins with projects/") in extensions of MessagePack
# that tf would hand on as values.
utils._msgpack_ext_hook = lambda _code, _data: Unknown


class Servicer(ProviderServicer):  # type: ignore[misc]
    """Plans and applies in the "legacy type system", as the real provider does.

    Without it, Terraform wants every default to be declared as computed, and every etag to be unknown in every update.
    """

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: N802, gRPC
        return self._or_diagnostics(pb.ConfigureProvider.Response, super().ConfigureProvider, request, context)

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802, gRPC
        return self._or_diagnostics(
            pb.ReadResource.Response, super().ReadResource, request, context, new_state=request.current_state
        )

    def ImportResourceState(self, request: Any, context: Any) -> Any:  # noqa: N802, gRPC
        return self._or_diagnostics(pb.ImportResourceState.Response, super().ImportResourceState, request, context)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802, gRPC
        response = self._or_diagnostics(pb.PlanResourceChange.Response, self._plan, request, context)
        response.legacy_type_system = True
        return response

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802, gRPC
        response = self._or_diagnostics(
            pb.ApplyResourceChange.Response,
            super().ApplyResourceChange,
            request,
            context,
            new_state=request.prior_state,
        )
        response.legacy_type_system = True
        return response

    def _plan(self, request: Any, _context: Any) -> Any:
        resource = self.app.new_resource(self._get_res_cls(request.type_name))
        prior = utils.read_dynamic_value(request.prior_state)
        proposed = utils.read_dynamic_value(request.proposed_new_state)
        plan = resource.plan(prior, proposed, utils.read_dynamic_value(request.config))
        return pb.PlanResourceChange.Response(
            planned_state=utils.to_dynamic_value(plan.state),
            requires_replace=[_path(path) for path in plan.replaced_by],
        )

    @staticmethod
    def _or_diagnostics(response: Any, answer: Any, request: Any, context: Any, **otherwise: Any) -> Any:
        try:
            return answer(request, context)
        except StandInError as error:
            diagnostics = utils.Diagnostics().add_error(error.summary, error.detail)
            return response(diagnostics=diagnostics.to_pb(), **otherwise)


def _path(path: tuple[str | int, ...]) -> Any:
    return utils._to_attribute_path([(step,) if isinstance(step, int) else step for step in path])
