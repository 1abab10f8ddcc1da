"""The audit log over HTTP."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery_gateway.filters import filtered
from delivery_gateway.schemas import PAGING, TIME
from monitoring import audit_log
from monitoring.models import AuditEntry
from tenants.authentication import TenantRequest
from traffic_control.pagination import page_of

PARAMETERS = [
    OpenApiParameter("action", str, description="Such as `api_key.revoked`"),
    OpenApiParameter("actor", str, description="A kind (`api_key`, `user`, `system`), an id, or a label as shown"),
    OpenApiParameter("object", str, description="The id of what it was done to"),
    *TIME,
    *PAGING,
]
Actor = inline_serializer(
    "AuditActor",
    {
        "kind": serializers.ChoiceField(["api_key", "user", "system", "anonymous"]),
        "id": serializers.CharField(allow_null=True),
        "label": serializers.CharField(allow_null=True),
    },
)
Object = inline_serializer("AuditObject", {"kind": serializers.CharField(), "id": serializers.CharField()})
Change = inline_serializer(
    "AuditChange",
    {"before": serializers.CharField(allow_null=True), "after": serializers.CharField(allow_null=True)},
)
Entry = inline_serializer(
    "AuditEntry",
    {
        "id": serializers.UUIDField(),
        "at": serializers.DateTimeField(),
        "action": serializers.CharField(),
        "actor": Actor,
        "object": Object,
        "summary": serializers.CharField(),
        "changes": serializers.DictField(child=Change, help_text="By field, keyed hashes of the values"),
        "ip": serializers.CharField(allow_null=True),
        "request_id": serializers.CharField(allow_null=True),
        "number": serializers.IntegerField(allow_null=True, help_text="Its place in the tenant's chain, from 1"),
        "digest": serializers.CharField(allow_null=True, help_text="Made with the digest of the entry before it"),
    },
)
Page = inline_serializer(
    "AuditPage",
    {
        "data": serializers.ListField(child=Entry),
        "has_more": serializers.BooleanField(),
        "next_cursor": serializers.CharField(allow_null=True),
    },
)


class AuditView(APIView):
    """Who did what to the tenant's keys, integrations, templates and so on."""

    scopes = {"GET": "admin"}

    @extend_schema(
        operation_id="audit_list", tags=["Audit"], summary="List who did what, newest first",
        parameters=PARAMETERS, responses=Page,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        fields = {"action": "action", "object": "object_id"}
        rows = filtered(request, audit_log.of_tenant(request.tenant.id), fields=fields, also=("actor",))
        if actor := request.query_params.get("actor", "").replace("\x00", ""):
            rows = rows.filter(audit_log.by(actor))
        return page_of(request, rows, answer)


def answer(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "action": entry.action,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id or None, "label": entry.actor_label or None},
        "object": {"kind": entry.object_kind, "id": entry.object_id},
        "summary": entry.summary,
        "changes": entry.changes,
        "ip": entry.ip or None,
        "request_id": entry.request_id or None,
        "number": entry.number,
        "digest": entry.digest or None,
    }
