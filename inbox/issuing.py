"""Tokens for tenants that would rather ask for one than sign it themselves."""

import time
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from rest_framework.views import APIView

from inbox import serializers, tokens
from tenants import inbox_secrets
from tenants.authentication import TenantRequest
from tenants.inbox_secret_views import needs_live_key
from tenants.models import Tenant
from tenants.views import NOT_TO_BE_KEPT
from traffic_control import audit
from user_preferences import customers
from user_preferences.customers import RecipientInput
from user_preferences.models import Customer
from user_preferences.views import checked_user_id


def token_for(tenant: Tenant, user_id: str, *, seconds: int, scopes: tuple[str, ...] = tokens.SCOPES) -> dict[str, Any]:
    """Who was never heard of becomes a customer: a page that waits for the first message shall hear of it at once."""
    customer = customers.upsert(tenant, [RecipientInput(user_id)])[user_id]
    now = max(time.time(), customer.inbox_tokens_from)
    token = tokens.sign(inbox_secrets.newest_of(tenant), user_id, now=now, seconds=seconds, scopes=scopes)
    return {"token": token, "expires_at": datetime.fromtimestamp(int(now) + seconds, UTC)}


@transaction.atomic
def revoke(tenant: Tenant, user_id: str) -> None:
    """Voids every token of this user issued until now, whoever signed it; also of somebody who is no customer yet.

    Tokens say whole seconds, so those of the second under way are void too; our own wait for the next.
    """
    customer = customers.upsert(tenant, [RecipientInput(user_id)])[user_id]
    row = Customer.objects.for_tenant(tenant).filter(pk=customer.pk)
    row.update(inbox_tokens_from=int(time.time()) + 1)
    said = f"Inbox tokens of customer {customer.pk} revoked"
    audit.record("customer.inbox_tokens_revoked", tenant_id=tenant.pk, object_id=customer.pk, summary=said)


class InboxTokensView(APIView):
    scopes = {"POST": "customers", "DELETE": "customers"}

    @extend_schema(
        operation_id="inbox_tokens_create", tags=["Inbox"], summary="Issue a token with which a user sees their inbox",
        description="For your server to call and hand to the page of that user. A user_id never heard of becomes a "
        "customer. DELETE voids all tokens of this user.",
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

    @extend_schema(
        operation_id="inbox_tokens_revoke", tags=["Inbox"], summary="Void all inbox tokens a user has by now",
        description="Whoever signed them. Open streams end within 10 seconds; tokens issued from now on work.",
        request=None, responses={204: OpenApiResponse(description="They are refused from now on.")},
    )  # fmt: skip
    def delete(self, request: TenantRequest, user_id: str) -> Response:
        needs_live_key(request.api_key)
        revoke(request.tenant, checked_user_id(user_id))
        return Response(status=HTTP_204_NO_CONTENT)
