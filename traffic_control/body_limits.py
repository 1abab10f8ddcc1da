"""Refuses oversized bodies before anything reads or parses them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from traffic_control.errors import problem_response


class BodyLimitMiddleware:
    """413 when Content-Length, or the stream itself when there is none, exceeds the limit of the path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = limit_of(request.path_info)
        if declared_length(request) > limit or len(self._body_start(request, limit)) > limit:
            detail = f"The body is larger than the {limit:,} bytes this call takes. Split it, or use the batch call."
            response = problem_response(request, 413, "payload_too_large", detail)
            response["Connection"] = "close"
            return response
        return self.get_response(request)

    @staticmethod
    def _body_start(request: HttpRequest, limit: int) -> bytes:
        """A body sent without a length is read here, at most one byte over the limit, and kept for the view."""
        if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
            return b""
        body = request.read(limit + 1)
        request._body = body
        return body


def limit_of(path: str) -> int:
    is_batch = path.rstrip("/").endswith("/batch")
    return int(settings.MAX_BATCH_BODY_BYTES if is_batch else settings.MAX_BODY_BYTES)


def declared_length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isascii() and given.isdigit() else 0
