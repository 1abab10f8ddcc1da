"""What a template said at earlier times, over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from notification_processor import schemas, templates
from notification_processor.models import TemplateVersion
from notification_processor.serializers import template_answer
from notification_processor.views import template_or_404
from tenants.authentication import TenantRequest
from traffic_control.pagination import page_of
from traffic_control.serializers import StrictSerializer


class RestoreSerializer(StrictSerializer):
    """Whose words to take."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class VersionsView(APIView):
    """They never change, so what was sent can always be explained."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="templates_versions", tags=["Templates"], summary="List a template's versions, newest first",
        parameters=schemas.PAGING, responses=schemas.TemplateVersionPage,
    )  # fmt: skip
    def get(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        template = template_or_404(request, template_id)
        return page_of(request, template.versions.all(), version_answer)


class RestoreView(APIView):
    """An earlier version's words again."""

    scopes = {"POST": "templates"}

    @extend_schema(
        operation_id="templates_restore", tags=["Templates"], summary="Make a new version of an earlier one's words",
        description="Nothing changes when these are the current words.",
        request=RestoreSerializer, responses=schemas.Template,
    )  # fmt: skip
    def post(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        template = template_or_404(request, template_id)
        body = RestoreSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(template_answer(templates.restore(template, body.validated_data["version"])))


def version_answer(version: TemplateVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "subject": version.subject,
        "body": version.body,
        "html": version.html or None,
        "is_starter": version.is_starter,
        "created_at": version.created_at,
    }
