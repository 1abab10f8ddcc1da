"""Counts requests by what they asked for and how long they took."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from traffic_control.metrics import HTTP_SECONDS, Tally

UNCOUNTED = ("/livez", "/readyz", "/health", "/metrics")  # probes and scrapes, which would drown the rest
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetricsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        if not request.path_info.startswith(UNCOUNTED):
            tally = Tally()
            tally.observe(HTTP_SECONDS, time.perf_counter() - began, *labels_of(request, response))
            tally.add()
        return response


def labels_of(request: HttpRequest, response: HttpResponse) -> tuple[str, str, str]:
    """The pattern of the path, never the path: it has ids in it, and anybody can make up new ones."""
    match = request.resolver_match
    route = "/" + (match.route if match else "unknown")
    method = request.method if request.method in METHODS else "other"
    return "/admin/" if route.startswith("/admin/") else route, str(method), f"{response.status_code // 100}xx"
