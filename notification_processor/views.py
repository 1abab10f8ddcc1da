"""Templates and workflows over HTTP."""

import uuid

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from notification_processor import preview, schemas, templates, workflows
from notification_processor.models import MessageTemplate, Workflow
from notification_processor.serializers import (
    PreviewSerializer,
    TemplateRevisionSerializer,
    TemplateSerializer,
    WorkflowSerializer,
    template_answer,
    workflow_answer,
)
from tenants.authentication import TenantRequest
from tenants.idempotency import Idempotent
from traffic_control.errors import Problem
from traffic_control.pagination import page_of


class TemplatesView(Idempotent, APIView):
    """Named texts."""

    scopes = {"GET": "read", "POST": "templates"}

    @extend_schema(
        operation_id="templates_list", tags=["Templates"], summary="List templates, newest first",
        parameters=[OpenApiParameter("name", str), OpenApiParameter("channel", str), *schemas.PAGING],
        responses=schemas.TemplatePage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = templates.of_tenant(request.tenant.id)
        for name in ("name", "channel"):
            if value := request.query_params.get(name):
                rows = rows.filter(**{name: value})
        return page_of(request, rows, template_answer)

    @extend_schema(
        operation_id="templates_create", tags=["Templates"], summary="Create a template",
        request=TemplateSerializer, responses={201: schemas.Template}, examples=schemas.TEMPLATE_EXAMPLES,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = TemplateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        parts = {part: said.get(part, "") for part in templates.PARTS}
        template = templates.create(
            request.tenant, name=said["name"], channel=said["channel"], locale=said["locale"], parts=parts
        )
        location = {"Location": f"/v1/templates/{template.id}/"}
        return Response(template_answer(template), status=HTTP_201_CREATED, headers=location)


class TemplateView(APIView):
    """One template."""

    scopes = {"GET": "read", "PUT": "templates", "PATCH": "templates", "DELETE": "templates"}

    @extend_schema(
        operation_id="templates_retrieve", tags=["Templates"], summary="Show a template", responses=schemas.Template
    )
    def get(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        return Response(template_answer(template_or_404(request, template_id)))

    @extend_schema(
        operation_id="templates_replace", tags=["Templates"], summary="Make a new version, replacing all parts",
        request=TemplateRevisionSerializer, responses=schemas.Template,
    )  # fmt: skip
    def put(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        return self._revise(request, template_id, blank=dict.fromkeys(templates.PARTS, ""))

    @extend_schema(
        operation_id="templates_update", tags=["Templates"], summary="Make a new version, changing some parts",
        request=TemplateRevisionSerializer, responses=schemas.Template,
    )  # fmt: skip
    def patch(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        return self._revise(request, template_id, blank={})

    @extend_schema(
        operation_id="templates_delete", tags=["Templates"], summary="Archive a template", responses={204: None}
    )
    @transaction.atomic
    def delete(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        template = template_or_404(request, template_id)
        template.archived_at = timezone.now()
        template.save(update_fields=["archived_at"])
        return Response(status=HTTP_204_NO_CONTENT)

    def _revise(self, request: TenantRequest, template_id: uuid.UUID, *, blank: dict[str, str]) -> Response:
        template = template_or_404(request, template_id)
        body = TemplateRevisionSerializer(data=request.data, context={"template": template})
        body.is_valid(raise_exception=True)
        return Response(template_answer(templates.revise(template, blank | body.parts())))


class TemplatePreviewView(APIView):
    """A template filled in, for its author."""

    scopes = {"POST": "read"}

    @extend_schema(
        operation_id="templates_preview", tags=["Templates"], summary="Render a template; send nothing",
        request=PreviewSerializer, responses=schemas.Preview,
    )  # fmt: skip
    def post(self, request: TenantRequest, template_id: uuid.UUID) -> Response:
        template = template_or_404(request, template_id)
        body = PreviewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(preview.preview(request.tenant, template, **body.validated_data))


class WorkflowsView(Idempotent, APIView):
    """What event types mean."""

    scopes = {"GET": "read", "POST": "templates"}

    @extend_schema(
        operation_id="workflows_list", tags=["Workflows"], summary="List workflows, newest first",
        parameters=[OpenApiParameter("event_type", str), *schemas.PAGING], responses=schemas.WorkflowPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        rows = workflows.of_tenant(request.tenant.id)
        if event_type := request.query_params.get("event_type"):
            rows = rows.filter(event_type=event_type)
        return page_of(request, rows, workflow_answer)

    @extend_schema(
        operation_id="workflows_create", tags=["Workflows"], summary="Create a workflow",
        request=WorkflowSerializer, responses={201: schemas.Workflow}, examples=schemas.WORKFLOW_EXAMPLES,
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = WorkflowSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        workflow = workflows.create(request.tenant, body.fields_of_model())
        location = {"Location": f"/v1/workflows/{workflow.id}/"}
        return Response(workflow_answer(workflow), status=HTTP_201_CREATED, headers=location)


class WorkflowView(APIView):
    """One workflow."""

    scopes = {"GET": "read", "PUT": "templates", "PATCH": "templates", "DELETE": "templates"}

    @extend_schema(
        operation_id="workflows_retrieve", tags=["Workflows"], summary="Show a workflow", responses=schemas.Workflow
    )
    def get(self, request: TenantRequest, workflow_id: uuid.UUID) -> Response:
        return Response(workflow_answer(workflow_or_404(request, workflow_id)))

    @extend_schema(
        operation_id="workflows_replace", tags=["Workflows"], summary="Replace a workflow",
        request=WorkflowSerializer, responses=schemas.Workflow,
    )  # fmt: skip
    def put(self, request: TenantRequest, workflow_id: uuid.UUID) -> Response:
        return self._revise(request, workflow_id, blank=workflows.BLANK)

    @extend_schema(
        operation_id="workflows_update", tags=["Workflows"], summary="Change some of a workflow",
        request=WorkflowSerializer, responses=schemas.Workflow,
    )  # fmt: skip
    def patch(self, request: TenantRequest, workflow_id: uuid.UUID) -> Response:
        return self._revise(request, workflow_id, blank={})

    @extend_schema(
        operation_id="workflows_delete", tags=["Workflows"], summary="Delete a workflow", responses={204: None}
    )
    def delete(self, request: TenantRequest, workflow_id: uuid.UUID) -> Response:
        workflow_or_404(request, workflow_id).delete()
        return Response(status=HTTP_204_NO_CONTENT)

    def _revise(self, request: TenantRequest, workflow_id: uuid.UUID, *, blank: dict[str, object]) -> Response:
        workflow = workflow_or_404(request, workflow_id)
        body = WorkflowSerializer(data=request.data, partial=not blank)
        body.is_valid(raise_exception=True)
        return Response(workflow_answer(workflows.revise(workflow, blank | body.fields_of_model())))


def template_or_404(request: TenantRequest, template_id: uuid.UUID) -> MessageTemplate:
    template = templates.of_tenant(request.tenant.id).filter(id=template_id).first()
    if template is None:
        raise Problem("not_found", f"There is no template {template_id}.", status=404)
    return template


def workflow_or_404(request: TenantRequest, workflow_id: uuid.UUID) -> Workflow:
    workflow = workflows.of_tenant(request.tenant.id).filter(id=workflow_id).first()
    if workflow is None:
        raise Problem("not_found", f"There is no workflow {workflow_id}.", status=404)
    return workflow
