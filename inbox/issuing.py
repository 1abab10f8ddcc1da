"""Tokens for tenants that would rather ask for one than sign it themselves."""

import time
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED
from rest_framework.views import APIView

from inbox import serializers, tokens
from tenants import inbox_secrets
from tenants.authentication import TenantRequest
from tenants.inbox_secret_views import needs_live_key
from tenants.models import Tenant
from tenants.views import NOT_TO_BE_KEPT
from user_preferences import customers
from user_preferences.customers import RecipientInput
from user_preferences.views import checked_user_id


def token_for(tenant: Tenant, user_id: str, *, seconds: int, scopes: tuple[str, ...] = tokens.SCOPES) -> dict[str, Any]:
    """Who was never heard of becomes a customer: a page that waits for the first message shall hear of it at once."""
    customers.upsert(tenant, [RecipientInput(user_id)])
    now = time.time()
    token = tokens.sign(inbox_secrets.newest_of(tenant), user_id, now=now, seconds=seconds, scopes=scopes)
    return {"token": token, "expires_at": datetime.fromtimestamp(int(now) + seconds, UTC)}


class InboxTokensView(APIView):
    scopes = {"POST": "customers"}

    @extend_schema(
        operation_id="inbox_tokens_create", tags=["Inbox"], summary="Issue a token with which a user sees their inbox",
        description="For your server to call and hand to the page of that user. A user_id never heard of becomes a "
        "customer. Tokens cannot be called back one by one: keep them short, or delete the inbox secret.",
        request=serializers.TokenSerializer, responses={201: serializers.Token},
    )  # fmt: skip
    def post(self, request: TenantRequest, user_id: str) -> Response:
        body = serializers.TokenSerializer.read(request.data or {})
        needs_live_key(request.api_key)
        issued = token_for(
            request.tenant, checked_user_id(user_id), seconds=body["expires_in"],
            scopes=tuple(body.get("scopes", tokens.SCOPES)),
        )  # fmt: skip
        return Response(issued, HTTP_201_CREATED, headers=NOT_TO_BE_KEPT)
