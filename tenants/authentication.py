"""Who calls, and whether they may: API keys for DRF, and one scope per view and method."""

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants import bad_keys, keys, quota
from tenants.key_cache import KEYS, note_use
from tenants.models import ApiKey, Tenant
from tenants.refusals import REALM, refused
from traffic_control import audit
from traffic_control.errors import Problem
from traffic_control.scope import narrow_to

if TYPE_CHECKING:  # rest_framework.views itself imports this module
    from rest_framework.views import APIView


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
    """The key in `X-API-KEY: sk_…` or `Authorization: Bearer sk_…`; charges and narrows the request to its tenant.

    Raises Problem 401 with one constant text, 403 `tenant_inactive`, 429 `rate_limited`, or 429 `too_many_bad_keys`.
    A revoked key is refused within 5 s everywhere.
    """
    raw = bad_keys.presented(request.META)
    if not raw:
        raise refused("not_authenticated")
    key = usable_key(raw)
    if key is None:
        raise bad_keys.refused(request.META)
    narrow_to(key.tenant_id)
    if not key.tenant.is_active:
        raise Problem("tenant_inactive", "This tenant is not active. Ask your operator to activate it.", status=403)
    note_use(key)
    audit.acts(audit.API_KEY, id=key.id, label=str(key))
    quota.charge(request, key.tenant)
    return key


def usable_key(raw: str) -> ApiKey | None:
    """The key that `raw` proves, unless it is unknown, expired or revoked."""
    public_id = keys.public_id_of(raw)
    key = KEYS.get(public_id) if public_id else None
    return key if keys.is_good(raw, key) else None


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
