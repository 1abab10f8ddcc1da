"""Addresses are put right, or refused, before anything looks at them.

A trailing slash is canonical, its absence must not break a POST (a redirect would lose the body). A NUL character is
nothing PostgreSQL can be asked about.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from traffic_control.errors import problem_response


class AppendSlashInPlaceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        query = request.META.get("QUERY_STRING", "")
        if any(nul in path + query for nul in ("\0", "%00")):
            return problem_response(request, 400, "bad_request", "The address has a NUL character, which nothing has.")
        if not path.endswith("/") and not is_valid_path(path) and is_valid_path(f"{path}/"):
            request.path_info, request.path = f"{path}/", f"{request.path}/"
        return self.get_response(request)
