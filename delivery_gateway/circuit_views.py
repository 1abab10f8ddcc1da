"""Which of a tenant's providers are being left alone, and since when."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery_gateway import schemas
from delivery_gateway.circuit_breaker import CircuitState, states
from tenants.authentication import TenantRequest


class CircuitsView(APIView):
    """The circuits that are not closed, or have seen a call in the last minute. A handful: always one page."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="circuits_list", tags=["Circuits"], summary="List circuits that are in use or open",
        description="While a provider keeps failing, its circuit is open and messages wait in `scheduled` with the "
        "reason `circuit_open`. At `retry_at` one of them is tried; if that works, the circuit closes.",
        responses=schemas.CircuitPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        data = [answer_of(one) for one in states(request.tenant.id)]
        return Response({"data": data, "has_more": False, "next_cursor": None})


def answer_of(one: CircuitState) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "provider": one.provider,
        "state": one.state,
        "opened_at": one.opened_at,
        "retry_at": one.retry_at,
        "attempts": one.attempts,
        "failures": one.failures,
        "failure_ratio": one.failure_ratio,
    }
