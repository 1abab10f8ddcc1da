"""Who calls, and whether they may: API keys for DRF, and one scope per view and method."""

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants import keys, quota
from tenants.key_cache import KEYS, note_use
from tenants.models import ApiKey, Tenant
from traffic_control import audit
from traffic_control.errors import Problem

if TYPE_CHECKING:  # rest_framework.views itself imports this module
    from rest_framework.views import APIView

REALM = 'Bearer realm="api"'
REFUSAL = (
    "This call needs an API key in the X-API-KEY header. There was none, or it is unknown, expired or revoked: "
    "take one from POST /v1/api-keys/ or ask your operator."
)


class TenantRequest(Request):
    """What a view gets behind ApiKeyAuthentication. Both rows are shared between requests: read them only."""

    tenant: Tenant
    api_key: ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.tenant` and `request.api_key`. Raises what `admit` does."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        key = admit(request._request)
        request.tenant, request.api_key = key.tenant, key  # type: ignore[attr-defined]
        return key.tenant, key

    def authenticate_header(self, request: Request) -> str:
        return REALM


def admit(request: HttpRequest) -> ApiKey:
    """The key in `X-API-KEY: sk_…` or `Authorization: Bearer sk_…`; the request is charged to its tenant.

    Raises Problem 401 with one constant text, 403 `tenant_inactive`, or 429 `rate_limited`. A revoked key is refused
    within 5 s everywhere.
    """
    raw = presented_key(request)
    if not raw:
        raise refused("not_authenticated")
    key = usable_key(raw)
    if key is None:
        raise refused("invalid_api_key")
    if not key.tenant.is_active:
        raise Problem("tenant_inactive", "This tenant is not active. Ask your operator to activate it.", status=403)
    note_use(key)
    audit.acts(audit.API_KEY, id=key.id, label=str(key))
    quota.charge(request, key.tenant)
    return key


def presented_key(request: HttpRequest) -> str:
    if raw := str(request.META.get("HTTP_X_API_KEY", "")).strip():  # `headers` would read all of them
        return raw
    scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return raw.strip() if scheme.lower() == "bearer" else ""


def usable_key(raw: str) -> ApiKey | None:
    """The key that `raw` proves, unless it is unknown, expired or revoked."""
    public_id = keys.public_id_of(raw)
    key = KEYS.get(public_id) if public_id else None
    if not keys.proves(raw, key) or key is None or key.revoked_at is not None:
        return None
    return key if key.expires_at is None or key.expires_at > timezone.now() else None


def refused(code: str) -> Problem:
    return Problem(code, REFUSAL, status=401, headers={"WWW-Authenticate": REALM})


class HasScope(BasePermission):
    """Views declare `scopes = {"GET": "read", "POST": "send"}`. A method without an entry is a fault of ours: a 500."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method == "OPTIONS" or not hasattr(view, (request.method or "").lower()):
            return True  # DRF describes the view, or answers 405
        require_scope(cast(ApiKey, request.auth), scope_of(view, request.method or ""))
        return True


def require_scope(key: ApiKey, needed: str) -> None:
    """Raises Problem 403 `missing_scope`."""
    if needed not in key.scopes:
        has = ", ".join(key.scopes) or "none"
        detail = f'This call needs the scope "{needed}"; this key has {has}. Use another key.'
        raise Problem("missing_scope", detail, status=403)


def scope_of(view: Any, method: str) -> str:
    """The scope a view wants for a method. Raises ImproperlyConfigured when its author forgot to say."""
    scopes: dict[str, str] = getattr(view, "scopes", {})
    scope = scopes.get("GET" if method == "HEAD" else method)
    if scope is None:
        raise ImproperlyConfigured(f"{type(view).__name__}.scopes has no entry for {method}.")
    return scope
