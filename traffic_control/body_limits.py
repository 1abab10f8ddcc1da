"""Refuses oversized bodies before anything reads or parses them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from traffic_control.errors import problem_response

DRAIN_BYTES = 4 * 1024 * 1024


class BodyLimitMiddleware:
    """413 when Content-Length, or the stream itself when there is none, exceeds the limit of the path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = limit_of(request.path_info)
        if is_chunked(request):
            read_chunked(request, limit)
        if declared_length(request) > limit:
            drain(request)
            detail = f"The body is larger than the {limit:,} bytes this call takes. Split it, or use the batch call."
            response = problem_response(request, 413, "payload_too_large", detail)
            response["Connection"] = "close"
            return response
        return self.get_response(request)


def is_chunked(request: HttpRequest) -> bool:
    """Whether the server decodes chunks and ends the stream with them; Django's own runserver does not."""
    return ends_by_itself(request) and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def ends_by_itself(request: HttpRequest) -> bool:
    return bool(request.META.get("wsgi.input_terminated"))


def read_chunked(request: HttpRequest, limit: int) -> None:
    """Django reads as many bytes as Content-Length says, so a body that came without is read here and given one.

    At most one byte over the limit is read.
    """
    body = request.META["wsgi.input"].read(limit + 1)
    request._body, request._read_started = body, True  # type: ignore[attr-defined]
    request.META["CONTENT_LENGTH"] = str(len(body))


def drain(request: HttpRequest) -> None:
    """Swallows a moderate rest: a client that is still sending when we hang up never sees our answer."""
    left = DRAIN_BYTES if ends_by_itself(request) else 0
    while left > 0 and (piece := request.META["wsgi.input"].read(min(left, 65_536))):
        left -= len(piece)


def limit_of(path: str) -> int:
    is_large = path.rstrip("/").endswith("/batch") or path.startswith("/admin/")  # a form holds whole templates
    return int(settings.MAX_BATCH_BODY_BYTES if is_large else settings.MAX_BODY_BYTES)


def declared_length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isascii() and given.isdigit() else 0
