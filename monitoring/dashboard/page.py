"""The console's first page. At most a dozen queries, none of them over the ledger but that for what is queued now."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from monitoring.dashboard.causes import causes
from monitoring.dashboard.figures import Scope, Standing, read, standing
from monitoring.dashboard.period import RANGES, USUAL, Period
from monitoring.dashboard.plots import plots
from monitoring.dashboard.queue import waiting
from monitoring.dashboard.strip import strip
from monitoring.dashboard.tiles import tiles
from tenants.admin_base import tenant_id_of
from tenants.admin_lists import TENANTS_SHOWN, as_uuid
from tenants.models import Tenant

MODES = {"live": "Live", "test": "Test"}
MAY_LOOK = "delivery_gateway.view_notificationlog"


def context(request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    """Adds to the page's context what its template shows."""
    is_of_nobody = not request.user.is_superuser and tenant_id_of(request) is None
    if is_of_nobody or not request.user.has_perm(MAY_LOOK):
        return found
    return found | {"title": "Dashboard", "board": board(request)}


def board(request: HttpRequest) -> dict[str, Any]:
    now, chosen = timezone.now(), request.GET.get("range", "")
    name = chosen if chosen in RANGES else USUAL
    period = Period.until(now, RANGES[name])
    scope, stands = _scope(request)
    figures = read(scope, period)
    drawn = plots(figures, stands, period)
    return {
        "range": name,
        "ranges": {key: one.title for key, one in RANGES.items()},
        "mode": scope.mode,
        "modes": MODES,
        "tenant": str(scope.tenant_id or ""),
        "tenants": _tenants(request),
        "strip": strip(scope),
        "tiles": tiles(figures, stands, waiting(scope, now), scope=scope, period=period),
        "plots": drawn,
        "drawn": {plot.key: plot.as_json() for plot in drawn},
        "causes": causes(figures, scope),
        "quickstart": None if stands.modes else quickstart(request),
        "at": now,
    }


def _scope(request: HttpRequest) -> tuple[Scope, Standing]:
    """The mode that was asked for; else live, unless there has only been a trial."""
    tenant_id = _tenant(request)
    asked = request.GET.get("mode", "")
    scope = Scope(tenant_id, asked if asked in MODES else "live")
    stands = standing(scope)
    if asked not in MODES and stands.modes == {"test"}:
        scope = Scope(tenant_id, "test")
        stands = standing(scope)
    return scope, stands


def _tenant(request: HttpRequest) -> uuid.UUID | None:
    """Staff of a tenant see that tenant, whatever they ask for."""
    return as_uuid(request.GET.get("tenant", "")) if request.user.is_superuser else tenant_id_of(request)


def _tenants(request: HttpRequest) -> list[tuple[str, str]]:
    if not request.user.is_superuser:
        return []
    tenants = Tenant.objects.order_by("name").values_list("id", "name")[:TENANTS_SHOWN]
    return [(str(key), name) for key, name in tenants]


def quickstart(request: HttpRequest) -> dict[str, str]:
    """What to paste into a shell. Where anybody may register, it needs nothing besides."""
    url = request.build_absolute_uri("/").rstrip("/")
    register = (
        f"KEY=$(curl -s {url}/v1/tenants/register/ -H 'Content-Type: application/json' \\\n"
        '  -d \'{"name": "My shop", "email": "me@example.com"}\' | sed \'s/.*"test_api_key": *"\\([^"]*\\)".*/\\1/\')'
    )
    send = (
        f"curl -s {url}/v1/notify/ -H \"X-API-KEY: $KEY\" -H 'Content-Type: application/json' \\\n"
        '  -d \'{"channel": "email", "to": "me@example.com", "subject": "Hello", "body": "It works."}\''
    )
    is_open = settings.REGISTRATION == "open"
    return {
        "curl": f"{register if is_open else 'KEY=sk_test_…'}\n{send}",
        "keys": "" if is_open else reverse("admin:tenants_apikey_add"),
        "sandbox": reverse("admin:delivery_gateway_sandboxmessage_changelist"),
    }
