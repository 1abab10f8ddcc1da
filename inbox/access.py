"""Who asks for an inbox, and from which page: tokens for DRF, and the answers' CORS headers.

There are no cookies, so nothing is sent by a browser on its own, and a page that has no token gets nowhere. The list
of origins is the second lock: a token that leaked to another page is of no use to that page.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from delivery_gateway.inbox import Owner
from inbox import tokens
from tenants.inbox_secrets import SIGNERS
from tenants.models import Tenant
from traffic_control import audit
from traffic_control.errors import Problem
from traffic_control.purse import Purse
from traffic_control.rate_limit import opaque, parse_limit
from traffic_control.scope import narrow_to
from user_preferences.models import Customer

REALM = 'Bearer realm="inbox"'
REVOKED = "The tenant has called back the inbox tokens that this user had. Get a fresh one from your server."
NEEDED = "This call needs a user's inbox token: Authorization: Bearer …."
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, PATCH, POST, PUT",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID",
    "Access-Control-Max-Age": "7200",
}
READABLE = "ETag, Retry-After, X-Request-ID"
LOOPBACK = ("localhost", "127.0.0.1", "::1")  # one machine by its names, while somebody tries things
_purse = Purse()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An end user, as the token says. `owner` is None for whoever is no customer yet, and has no messages."""

    claims: tokens.Claims
    owner: Owner | None

    @property
    def tenant(self) -> Tenant:
        return self.claims.signer.tenant


class SubscriberRequest(Request):
    """What a view gets behind TokenAuthentication."""

    subscriber: Subscriber


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, tokens.Claims]:
        subscriber = admit(request.META)
        asked = request._request
        own = f"{asked.scheme}://{asked.get_host()}"
        check_origin(asked.META.get("HTTP_ORIGIN", ""), subscriber.tenant, own=own)
        _charge(subscriber)
        audit.acts(audit.RECIPIENT, id=subscriber.owner.customer_id if subscriber.owner else "", label="")
        request.subscriber = subscriber  # type: ignore[attr-defined]
        return subscriber.tenant, subscriber.claims

    def authenticate_header(self, request: Request) -> str:
        return REALM


def admit(meta: Mapping[str, Any]) -> Subscriber:
    """Whose token stands in the headers. Raises Problem 401 (`token_expired`, `token_revoked`, …) or 403."""
    scheme, _, token = str(meta.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("not_authenticated", NEEDED, status=401, headers={"WWW-Authenticate": REALM})
    try:
        claims = tokens.read(token.strip(), signer_of=SIGNERS.get, now=time.time())
    except tokens.Refused as refused:
        raise _unbelieved(refused) from refused
    narrow_to(claims.signer.tenant.pk)
    if not claims.signer.tenant.is_active:
        raise Problem("tenant_inactive", "This tenant is not active.", status=403)
    return Subscriber(claims, _owner(claims))


def _unbelieved(refused: tokens.Refused) -> Problem:
    detail, headers = f"This inbox token is refused. {refused}", {"WWW-Authenticate": REALM}
    if refused.is_expired:
        return Problem("token_expired", detail, status=401, headers=headers)
    return Problem("invalid_token", detail, status=401, headers=headers)


def _owner(claims: tokens.Claims) -> Owner | None:
    """Raises Problem 401 `token_revoked`."""
    tenant = claims.signer.tenant
    row = Customer.objects.for_tenant(tenant).filter(user_id=claims.user_id)
    found = row.values_list("id", "inbox_tokens_from").first()
    if found is None:
        return None
    customer_id, tokens_from = found
    if claims.issued < tokens_from:
        raise Problem("token_revoked", REVOKED, status=401, headers={"WWW-Authenticate": REALM})
    return Owner(tenant.pk, customer_id)


def is_welcome(origin: str, tenant: Tenant, *, own: str) -> bool:
    """Whether this origin's pages may ask: those that the tenant named, and our own. No origin: no browser's page."""
    is_ours = origin in (own, _public_origin()) or (settings.DEBUG and urlsplit(origin).hostname in LOOPBACK)
    return not origin or is_ours or origin in (tenant.inbox_origins or ())


def _public_origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


def check_origin(origin: str, tenant: Tenant, *, own: str) -> None:
    """Raises Problem 403 `origin_not_allowed`."""
    if not is_welcome(origin, tenant, own=own):
        detail = f'The tenant has not named the origin "{origin[:100]}": add it to inbox_origins of /v1/tenants/me/.'
        raise Problem("origin_not_allowed", detail, status=403)


def _charge(subscriber: Subscriber) -> None:
    limit = parse_limit(settings.INBOX_RATE_LIMIT)
    if limit is None:
        return
    who = opaque(f"{subscriber.tenant.pk}:{subscriber.claims.user_id}")
    allowance = _purse.spend(f"inbox:{who}", limit)
    if allowance is not None and not allowance.is_granted:
        wait = str(max(1, int(allowance.more_in) + 1))
        detail = f"A user may make {limit.quota:,} inbox requests in {limit.window:,} s. Come back in {wait} s."
        raise Problem("rate_limited", detail, status=429, headers={"Retry-After": wait})


class HasTokenScope(BasePermission):
    """Views declare `token_scopes = {"GET": "inbox:read"}`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not hasattr(view, (request.method or "").lower()):
            return True  # DRF answers 405
        needed = view.token_scopes["GET" if request.method == "HEAD" else request.method]  # type: ignore[attr-defined]
        if needed not in request.subscriber.claims.scopes:  # type: ignore[attr-defined]
            raise Problem("missing_scope", f'This call needs a token with the scope "{needed}".', status=403)
        return True


class InboxView(APIView):
    """What all calls of end users share: the token, the scopes, and what a page of another origin may see."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (HasTokenScope,)
    token_scopes: dict[str, str] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method != "OPTIONS":
            super().initial(request, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """A preflight bears no token, so nobody knows the tenant. Any page may ask; not all are answered."""
        return Response(status=204, headers=PREFLIGHT if "HTTP_ORIGIN" in request.META else None)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Whoever came as far as an answer was welcome; of refusals a page may see the reason."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if origin := request.META.get("HTTP_ORIGIN"):
            answer["Access-Control-Allow-Origin"] = origin
            answer["Access-Control-Expose-Headers"] = READABLE
        answer["Vary"] = "Origin, Authorization"
        answer["Cache-Control"] = "private, no-store"
        return answer
