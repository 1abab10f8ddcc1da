"""A person's rights over HTTP. Who it is about stands in the body: paths end up in logs."""

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.views import APIView

from tenants.authentication import TenantRequest
from tenants.masking import masked_fields
from tenants.models import ApiKey
from traffic_control.errors import Problem
from traffic_control.serializers import StrictSerializer
from user_preferences import erasure
from user_preferences.models import Erasure

TAGS = ["People"]


class WhoSerializer(StrictSerializer):
    """Whom it is about: a customer by `user_id`, or whoever has an address."""

    user_id = serializers.CharField(max_length=128, required=False)
    address = serializers.CharField(max_length=2_000, required=False, help_text="As messages were sent to")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Name a user_id, an address or both.")
        return attrs


ErasureShape = inline_serializer(
    "Erasure",
    {
        "id": serializers.UUIDField(),
        "status": serializers.ChoiceField(["erasing", "completed"]),
        "requested_at": serializers.DateTimeField(),
        "completed_at": serializers.DateTimeField(allow_null=True),
    },
)
ExportShape = inline_serializer(
    "PersonExport",
    {"data": serializers.DictField(child=serializers.ListField(child=serializers.DictField()), help_text="By kind")},
)


class ExportView(APIView):
    scopes = {"POST": "privacy"}

    @extend_schema(
        operation_id="people_export", tags=TAGS, summary="Show everything that is kept about a person",
        description="Addresses are masked for keys without the scope `pii`.",
        request=WhoSerializer, responses=ExportShape,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        rows = erasure.export(request.tenant, **who(request))
        return Response({"data": rows if "pii" in request.api_key.scopes else masked_fields(rows)})


class EraseView(APIView):
    scopes = {"POST": "privacy"}

    @extend_schema(
        operation_id="people_erase", tags=TAGS, summary="Forget a person",
        description="What waits is cancelled at once and the customer is gone; the rest follows within minutes.",
        request=WhoSerializer, responses={202: ErasureShape},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        begun = erasure.request(request.tenant, **who(request))
        return Response(answer(begun), HTTP_202_ACCEPTED, headers={"Location": f"/v1/people/erasures/{begun.id}/"})


class ErasureView(APIView):
    scopes = {"GET": "privacy"}

    @extend_schema(operation_id="people_erasure", tags=TAGS, summary="How far an erasure is", responses=ErasureShape)
    def get(self, request: TenantRequest, erasure_id: uuid.UUID) -> Response:
        found = erasure.find(request.tenant, erasure_id)
        if found is None:
            raise Http404
        return Response(answer(found))


def who(request: TenantRequest) -> dict[str, str]:
    body = WhoSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    if request.api_key.mode == ApiKey.Mode.TEST:  # they lie about in test environments, and the people are real
        raise Problem("live_key_needed", "A test key cannot show or erase people. Use a live key.", status=403)
    return dict(body.validated_data)


def answer(row: Erasure) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "status": "completed" if row.completed_at else "erasing",
        "requested_at": row.requested_at,
        "completed_at": row.completed_at,
    }
