"""`/metrics/`: numbers about the whole install, for whoever may see them."""

import hmac
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from monitoring.exposition import exposition
from traffic_control.errors import problem_response
from traffic_control.scope import across_tenants

REFUSAL = "Metrics need the token of METRICS_TOKEN (Authorization: Bearer …), or an address that METRICS_ALLOW names."


@across_tenants()
def metrics(request: HttpRequest) -> HttpResponse:
    if not (settings.DEBUG or has_token(request) or is_near(request)):
        response = problem_response(request, 401, "not_authenticated", REFUSAL)
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return response
    text, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(text, content_type=content_type, headers={"Cache-Control": "no-store"})


def has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    is_token = hmac.compare_digest(given.strip().encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and is_token


def is_near(request: HttpRequest) -> bool:
    """Whether the scraper's address is among METRICS_ALLOW. Through a proxy, everybody has the proxy's."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in _networks(tuple(settings.METRICS_ALLOW)))


@lru_cache(maxsize=4)
def _networks(cidrs: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(ip_network(cidr.strip(), strict=False) for cidr in cidrs)
