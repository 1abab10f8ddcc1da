"""A small door in the large one: plain requests to the two hot calls, at four fifths of the CPU time of the view.

Whatever is not plain is left to the view: another media type, an Idempotency-Key, a query, a body with anything that
`plain_requests` does not read. Until that is known, nothing is done that the view could not do again: a request is
charged once, whoever asks. What goes wrong is not tried again, as a row may be stored: the view finds the words for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve

from event_intake.acceptance import Answer, accept_event, accept_send
from event_intake.plain_requests import plain_event, plain_send
from tenants.authentication import admit, require_scope, scope_of
from tenants.models import ApiKey
from traffic_control.errors import Problem
from traffic_control.negotiation import JSON, takes_json
from traffic_control.parsers import parse_json
from traffic_control.renderers import ProblemAwareJSONRenderer

PLAIN_TYPES = frozenset({JSON, f"{JSON}; charset=utf-8"})
RENDERER = ProblemAwareJSONRenderer()


@dataclass(frozen=True, slots=True)
class Post:
    """How a call's plain body is read, None when it is not plain, and what is done with it."""

    read: Callable[[Any], Any]
    accept: Callable[[ApiKey, Any], Answer]


POSTS = {"/v1/notify/": Post(plain_send, accept_send), "/api/events/": Post(plain_event, accept_event)}


class Wicket:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        post = POSTS.get(request.path_info)
        if post is None or not is_plain(request.META):
            return self.get_response(request)
        match = request.resolver_match = view_at(request.path_info)
        try:
            response = answer(request, post, match)
        except Exception as exc:  # the view's own handler decides what it is
            return told_by_the_view(request, match, exc)
        return response or self.get_response(request)


def is_plain(meta: dict[str, Any]) -> bool:
    """Whether the headers ask for nothing but to post JSON and have JSON back."""
    return (
        meta["REQUEST_METHOD"] == "POST"
        and meta.get("CONTENT_TYPE") in PLAIN_TYPES
        and meta.get("CONTENT_LENGTH", "").isdecimal()
        and "HTTP_IDEMPOTENCY_KEY" not in meta
        and not meta.get("HTTP_COOKIE")  # a browser's, which Django may want to renew
        and takes_json(meta)
    )


@cache
def view_at(path: str) -> ResolverMatch:
    return resolve(path)


def answer(request: HttpRequest, post: Post, match: ResolverMatch) -> HttpResponse | None:
    """None when the view has to look. In the order of REST framework: who, may they, what."""
    view = view_class(match)
    key = admit(request)
    require_scope(key, scope_of(view, "POST"))
    wanted = post.read(json_of(request))
    if wanted is None:
        return None
    receipt, headers = post.accept(key, wanted)
    headers["Allow"] = allowed(view)
    return HttpResponse(RENDERER.render(receipt), status=202, headers=headers, content_type=JSON)


def json_of(request: HttpRequest) -> Any:
    """None for what is no JSON: the view says where."""
    try:
        return parse_json(request.body)
    except Problem:
        return None


def view_class(match: ResolverMatch) -> Any:
    return match.func.cls  # type: ignore[attr-defined]  # of an APIView


@cache
def allowed(view: Any) -> str:
    one = view()
    one.setup(HttpRequest())  # which makes HEAD of GET
    return ", ".join(one.allowed_methods)


def told_by_the_view(request: HttpRequest, match: ResolverMatch, exc: Exception) -> HttpResponse:
    """What the view would answer had it met `exc`."""
    view = view_class(match)()
    view.setup(request)
    view.request, view.headers = view.initialize_request(request), view.default_response_headers
    response: HttpResponse = view.finalize_response(view.request, view.handle_exception(exc)).render()
    return response
