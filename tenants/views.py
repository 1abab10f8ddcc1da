"""Tenants and their keys over HTTP."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from tenants import answers, registration, serializers, services
from tenants.authentication import TenantRequest
from tenants.models import ApiKey, Tenant
from tenants.scoping import find_or_404
from traffic_control.pagination import page_of
from traffic_control.scope import across_tenants

NOT_TO_BE_KEPT = {"Cache-Control": "no-store"}
TOKEN = OpenApiParameter("X-Registration-Token", str, "header", description="When the install asks for one")


class RegisterView(APIView):
    """The one call without a key."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="tenants_register", tags=["Tenants"], summary="Register a tenant and get its first keys",
        parameters=[TOKEN], request=serializers.RegisterSerializer, responses={201: serializers.Registered},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        registration.let_in(request)
        body = serializers.RegisterSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        with across_tenants():  # it is nobody's yet
            new = services.register(**body.validated_data)

        answer = {
            "tenant": answers.tenant(new.tenant),
            "api_key": new.api_key,
            "test_api_key": new.test_api_key,
            "webhook_secret": new.webhook_secret,
        }
        return Response(answer, HTTP_201_CREATED, headers=NOT_TO_BE_KEPT)


class MeView(APIView):
    """The calling key's tenant. Read afresh: `request.tenant` may be some seconds old."""

    scopes = {"GET": "read", "PATCH": "admin"}

    @extend_schema(
        operation_id="tenants_me", tags=["Tenants"], summary="Show your tenant, its limits and usage",
        responses=serializers.Me,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        tenant = get_object_or_404(Tenant, pk=request.tenant.pk)
        return Response(answers.me(tenant, request.api_key))

    @extend_schema(
        operation_id="tenants_me_update", tags=["Tenants"], summary="Change your tenant",
        request=serializers.TenantPatchSerializer, responses=serializers.Me,
    )  # fmt: skip
    def patch(self, request: TenantRequest) -> Response:
        body = serializers.TenantPatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        tenant = services.change_tenant(request.tenant, **body.validated_data)

        return Response(answers.me(tenant, request.api_key))


class ApiKeysView(APIView):
    scopes = {"GET": "admin", "POST": "admin"}

    @extend_schema(
        operation_id="api_keys_list", tags=["API keys"], summary="List API keys, newest first",
        parameters=serializers.PAGING, responses=serializers.KeyPage,
    )  # fmt: skip
    def get(self, request: TenantRequest) -> Response:
        return page_of(request, ApiKey.objects.for_tenant(request.tenant), answers.api_key)

    @extend_schema(
        operation_id="api_keys_create", tags=["API keys"], summary="Make an API key",
        description="A key can give no scope that it does not have, and a test key makes test keys only.",
        request=serializers.NewKeySerializer, responses={201: serializers.NewKey},
    )  # fmt: skip
    def post(self, request: TenantRequest) -> Response:
        body = serializers.NewKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)

        key, raw = services.issue_for(request.api_key, **body.validated_data)

        headers = {"Location": f"/v1/api-keys/{key.id}/"} | NOT_TO_BE_KEPT
        return Response(answers.api_key(key) | {"api_key": raw}, HTTP_201_CREATED, headers=headers)


class ApiKeyView(APIView):
    scopes = {"GET": "admin", "DELETE": "admin"}

    @extend_schema(
        operation_id="api_keys_retrieve", tags=["API keys"], summary="Show an API key", responses=serializers.Key
    )
    def get(self, request: TenantRequest, key_id: str) -> Response:
        return Response(answers.api_key(find_or_404(ApiKey.objects.for_tenant(request.tenant), key_id)))

    @extend_schema(
        operation_id="api_keys_revoke", tags=["API keys"], summary="Revoke an API key, everywhere within 5 seconds",
        description="The last live key with the scope admin stays: make another one first.",
        responses={204: OpenApiResponse(description="Revoked.")},
    )  # fmt: skip
    @transaction.atomic
    def delete(self, request: TenantRequest, key_id: str) -> Response:
        key = find_or_404(ApiKey.objects.for_tenant(request.tenant), key_id)
        services.revoke_as(request.api_key, key)
        return Response(status=HTTP_204_NO_CONTENT)
