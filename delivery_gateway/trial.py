"""`POST /v1/integrations/{id}/test/`: one real message through an integration, answered at once."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery_gateway.registry import Sender
from delivery_gateway.trial_messages import BODY, SUBJECT, address_for
from tenants import integrations
from tenants.authentication import TenantRequest
from tenants.models import Integration
from traffic_control.errors import Problem
from traffic_control.serializers import StrictSerializer


class TrialSerializer(StrictSerializer):
    """Where to send it; may be left out when the integration has an address of its own (a hook, a chat)."""

    to = serializers.CharField(max_length=2_048, required=False)


TrialAnswer = inline_serializer(
    "IntegrationTest",
    {
        "ok": serializers.BooleanField(),
        "provider_message_id": serializers.CharField(allow_null=True),
        "provider_response": serializers.CharField(allow_null=True),
        "error": serializers.DictField(child=serializers.CharField(), allow_null=True),
    },
)


class IntegrationTrialView(APIView):
    """Proves credentials. Success ends a pause."""

    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="integrations_test", tags=["Integrations"], summary="Send a test message through an integration",
        request=TrialSerializer, responses=TrialAnswer,
    )  # fmt: skip
    def post(self, request: TenantRequest, integration_id: uuid.UUID) -> Response:
        row = Integration.objects.filter(tenant=request.tenant, id=integration_id).first()
        if row is None:
            raise Problem("not_found", f"There is no integration {integration_id}.", status=404)
        if request.api_key.mode != "live":
            raise Problem("test_key", "A test key never sends; use a live key to test an integration.", status=409)
        body = TrialSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        config = integrations.opened(row)

        outcome = Sender(config).send(
            address_for(config, body.validated_data.get("to", "")), SUBJECT, BODY, row.channel
        )

        if outcome.ok:
            integrations.resume(row.id)
        return Response(answer_of(outcome))


def answer_of(outcome: Any) -> dict[str, Any]:
    error = {"class": outcome.error_class, "code": outcome.code, "detail": outcome.detail}
    return {
        "ok": outcome.ok,
        "provider_message_id": outcome.provider_id or None,
        "provider_response": (outcome.detail or None) if outcome.ok else None,
        "error": None if outcome.ok else error,
    }
