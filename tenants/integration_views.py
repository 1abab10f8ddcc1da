"""Integrations over HTTP. Secrets go in, and never come out again."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from tenants import answers, integration_config, integrations, serializers
from tenants.authentication import TenantRequest
from tenants.models import Integration
from tenants.providers import PROVIDERS, Provider, provider_of
from tenants.scoping import find_or_404
from tenants.views import NOT_TO_BE_KEPT
from traffic_control.errors import invalid
from traffic_control.pagination import page_of
from traffic_control.spelling import did_you_mean

TAGS = ["Integrations"]


class IntegrationsView(APIView):
    scopes = {"GET": "admin", "POST": "admin"}

    @extend_schema(
        operation_id="integrations_list", tags=TAGS, summary="List integrations, newest first",
        parameters=serializers.PAGING, responses=serializers.IntegrationPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        return page_of(request, Integration.objects.for_tenant(request.tenant), answers.integration)

    @extend_schema(
        operation_id="integrations_create", tags=TAGS, summary="Bring your own credentials for a channel",
        description="\n".join(
            f"* `{channel}` / `{provider.name}`: {', '.join(f'`{field.name}`' for field in provider.fields)}"
            for channel, providers in PROVIDERS.items() for provider in providers
        ),
        request=serializers.IntegrationSerializer, responses={201: serializers.NewIntegration},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = serializers.IntegrationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        provider = known_provider(said["channel"], said.get("provider", ""))
        values = integration_config.read(provider, said.get("config", {}))

        values, made_secret = integration_config.completed(provider, values)
        row = integrations.create(
            request.tenant,
            said["channel"],
            provider=provider,
            values=values,
            name=said.get("name", ""),
            is_default=said["is_default"],
        )

        headers = {"Location": f"/v1/integrations/{row.id}/"} | NOT_TO_BE_KEPT
        return Response(shown_once(row, made_secret), HTTP_201_CREATED, headers=headers)


class IntegrationView(APIView):
    scopes = {"GET": "admin", "PATCH": "admin", "DELETE": "admin"}

    @extend_schema(
        operation_id="integrations_retrieve",
        tags=TAGS,
        summary="Show an integration",
        responses=serializers.Integration,
    )
    def get(self, request: TenantRequest, integration_id: str) -> Response:
        return Response(answers.integration(integration_or_404(request, integration_id)))

    @extend_schema(
        operation_id="integrations_update", tags=TAGS, summary="Change an integration; resumes it when it was paused",
        request=serializers.IntegrationPatchSerializer, responses=serializers.NewIntegration,
    )  # fmt: skip
    @transaction.atomic
    def patch(self, request: TenantRequest, integration_id: str) -> Response:
        row = integration_or_404(request, integration_id, for_update=True)
        body = serializers.IntegrationPatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        provider = known_provider(row.channel, row.provider)

        values, made_secret = None, ""
        if "config" in said:
            changed = integration_config.read(provider, said["config"], stored=integrations.stored_values(row))
            values, made_secret = integration_config.completed(provider, changed)
        integrations.change(row, provider=provider, values=values, **{k: v for k, v in said.items() if k != "config"})

        return Response(shown_once(row, made_secret), headers=NOT_TO_BE_KEPT)

    @extend_schema(
        operation_id="integrations_delete", tags=TAGS, summary="Delete an integration",
        description="The channel then uses the platform's own configuration, if there is one.",
        responses={204: OpenApiResponse(description="Deleted.")},
    )  # fmt: skip
    def delete(self, request: TenantRequest, integration_id: str) -> Response:
        integration_or_404(request, integration_id).delete()
        return Response(status=HTTP_204_NO_CONTENT)


def integration_or_404(request: TenantRequest, integration_id: str, *, for_update: bool = False) -> Integration:
    rows = Integration.objects.for_tenant(request.tenant)
    return find_or_404(rows.select_for_update() if for_update else rows, integration_id)


def known_provider(channel: str, name: str) -> Provider:
    provider = provider_of(channel, name)
    if provider is None:
        known = [provider.name for provider in PROVIDERS.get(channel, ())]
        detail = f'{channel} has no provider "{name}". {did_you_mean(name, known)}'
        raise invalid("/provider", detail, code="unknown_provider")
    return provider


def shown_once(row: Integration, made_secret: str) -> dict[str, Any]:
    return answers.integration(row) | ({"secret": made_secret} if made_secret else {})
