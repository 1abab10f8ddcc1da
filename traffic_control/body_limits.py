"""Refuses oversized bodies before anything parses them, and reads the others while they hold nothing but a thread."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from traffic_control.errors import problem_response
from traffic_control.request_shape import Fault, fault_in
from traffic_control.slow_bodies import BodyReader, Stream

CUT_OFF = Fault(400, "bad_request", "The body is shorter than its Content-Length: it was cut off on its way.")
DRAIN_BYTES = 4 * 1024 * 1024


class BodyLimitMiddleware:
    """What `request_shape` refuses; 413 when Content-Length, or the stream where there is none, exceeds the limit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.reader = BodyReader(settings.WEB_THREADS)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if fault := fault_in(request.META):
            response = problem_response(request, *fault)
            response["Connection"] = "close"  # the body is not read, and the next request would be taken for it
            return response
        limit = limit_of(request.path_info)
        size = declared_length(request)
        if size <= limit and (size or is_chunked(request)) and ends_by_itself(request):
            promised, size = size, self.read(request, limit)
            if size < promised and not is_chunked(request):
                return problem_response(request, *CUT_OFF)
        return self.too_large(request, limit) if size > limit else self.get_response(request)

    def read(self, request: HttpRequest, limit: int) -> int:
        """Its size, at most one byte over the limit. Django wants one of every body, also of those sent in chunks."""
        body = self.reader.read(request.META["wsgi.input"], limit + 1, peer=request.META.get("REMOTE_ADDR", ""))
        request._body, request._read_started = body, True  # type: ignore[attr-defined]
        request.META["CONTENT_LENGTH"] = str(len(body))
        return len(body)

    def too_large(self, request: HttpRequest, limit: int) -> HttpResponse:
        """Swallows a moderate rest: a client that is still sending when we hang up never sees our answer."""
        if ends_by_itself(request):
            rest = Drain(request.META["wsgi.input"])
            self.reader.read(rest, DRAIN_BYTES, peer=request.META.get("REMOTE_ADDR", ""))
        detail = f"The body is larger than the {limit:,} bytes this call takes. Split it, or use the batch call."
        response = problem_response(request, 413, "payload_too_large", detail)
        response["Connection"] = "close"
        return response


class Drain:
    """Reads and forgets."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        while size > 0 and (piece := self._stream.read(min(size, 65_536))):
            size -= len(piece)
        return b""


def is_chunked(request: HttpRequest) -> bool:
    """Whether the server decodes chunks and ends the stream with them; Django's own runserver does not."""
    return ends_by_itself(request) and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def ends_by_itself(request: HttpRequest) -> bool:
    return bool(request.META.get("wsgi.input_terminated"))


def limit_of(path: str) -> int:
    is_large = path.rstrip("/").endswith("/batch") or path.startswith("/admin/")  # a form holds whole templates
    return int(settings.MAX_BATCH_BODY_BYTES if is_large else settings.MAX_BODY_BYTES)


def declared_length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isascii() and given.isdigit() else 0
