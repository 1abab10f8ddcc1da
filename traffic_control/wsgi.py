"""WSGI entry point: `granian --interface wsgi traffic_control.wsgi:application`."""

import gc
import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import get_resolver

from traffic_control import threshold
from traffic_control.request_shape import UTF8, charset_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")


class UndecodedRequest(WSGIRequest):
    """Django would try any codec of Python's that a Content-Type names, and break on bz2; middleware says 415 to it."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        media_type = meta.get("CONTENT_TYPE", "")
        is_utf8 = "=" not in media_type or charset_of(media_type) in UTF8
        super()._set_content_type_params(meta if is_utf8 else {})  # type: ignore[misc]  # which the stubs do not know


class Handler(WSGIHandler):
    request_class = UndecodedRequest

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        refusal = threshold.answer(environ)
        if refusal is None:
            return super().__call__(environ, start_response)
        start_response(refusal.status_line, [*refusal.headers.items()])
        return [refusal.body]


def settled(handler: Handler) -> Handler:
    """With all views loaded, which no collection of garbage has to look through any more: else one is 80 ms of CPU time
    in the middle of a request, and a body of many small lists brings one about by itself.
    """
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    return handler


django.setup(set_prefix=False)
application = settled(Handler())
