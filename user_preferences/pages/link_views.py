"""Links to a customer's preference page, for a tenant to hand out or to call back."""

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from tenants.authentication import TenantRequest
from tenants.models import ApiKey
from tenants.views import NOT_TO_BE_KEPT
from traffic_control.errors import Problem
from user_preferences.pages import links
from user_preferences.views import customer_or_404

LinkShape = inline_serializer(
    "PreferenceLink", {"url": serializers.URLField(), "expires_at": serializers.DateTimeField()}
)
NO_URL = "This install has no PUBLIC_URL, so nobody could open a link. Its operator has to set it."


class PreferenceLinksView(APIView):
    scopes = {"POST": "customers", "DELETE": "customers"}

    @extend_schema(
        operation_id="preference_links_create", tags=["Preferences"],
        summary="Make a link with which a customer manages their preferences",
        description="Whoever has it can see and change the choices of this customer, without a login, for 90 days. "
        "In templates it is {{ customer.preferences_url }}.",
        request=None, responses={201: LinkShape},
    )  # fmt: skip
    def post(self, request: TenantRequest, user_id: str) -> Response:
        _needs_live_key(request.api_key)
        url = links.url_for(customer_or_404(request, user_id))
        if not url:
            raise Problem("no_public_url", NO_URL, status=409)
        return Response({"url": url, "expires_at": links.expires_at()}, HTTP_201_CREATED, headers=NOT_TO_BE_KEPT)

    @extend_schema(
        operation_id="preference_links_revoke", tags=["Preferences"],
        summary="Call back all links to a customer's preference page",
        request=None, responses={204: OpenApiResponse(description="None of them works any more.")},
    )  # fmt: skip
    def delete(self, request: TenantRequest, user_id: str) -> Response:
        _needs_live_key(request.api_key)
        links.revoke(customer_or_404(request, user_id))
        return Response(status=HTTP_204_NO_CONTENT)


def _needs_live_key(key: ApiKey) -> None:
    """They lie about in test environments, and the choices are those of real people."""
    if key.mode == ApiKey.Mode.TEST:
        detail = "A test key cannot open people's preferences to others. Use a live key."
        raise Problem("live_key_needed", detail, status=403)
