"""A small door in the large one: plain requests to the two hot calls, at four fifths of the CPU time of the view.

Whatever is not plain is left to the view: another media type, a query (as of a dry run), a body with anything that
`plain_requests` does not read, an Idempotency-Key that was used before. Until that is known, nothing is done that the
view could not do again: a request is charged once, whoever asks. What goes wrong is not tried again, as a row may be
stored: the view finds the words for it.

A new Idempotency-Key is stored with its answer by the statement that accepts; only PostgreSQL has such statements.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve

from event_intake.acceptance import (
    Answer,
    Record,
    accept_event,
    accept_event_once,
    accept_send,
    accept_send_once,
)
from event_intake.plain_requests import plain_event, plain_send
from tenants.authentication import admit, require_scope, scope_of
from tenants.idempotency import Claim, call_of, fingerprint_of, read_key, record_of, waiting_for_twin
from tenants.models import ApiKey
from traffic_control.errors import Problem
from traffic_control.insertion import Entry
from traffic_control.negotiation import JSON, takes_json
from traffic_control.parsers import parse_json
from traffic_control.renderers import ProblemAwareJSONRenderer

ACCEPTED = 202
PLAIN_TYPES = frozenset({JSON, f"{JSON}; charset=utf-8"})
RENDERER = ProblemAwareJSONRenderer()


@dataclass(frozen=True, slots=True)
class Post:
    """How a call's plain body is read, None when it is not plain, and what is done with it."""

    read: Callable[[Any], Any]
    accept: Callable[[ApiKey, Any], Answer]
    accept_once: Callable[[ApiKey, Any, Record], Answer | None]


POSTS = {
    "/v1/notify/": Post(plain_send, accept_send, accept_send_once),
    "/api/events/": Post(plain_event, accept_event, accept_event_once),
}


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
        and not (settings.IS_SQLITE and "HTTP_IDEMPOTENCY_KEY" in meta)
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
    body = json_of(request)
    wanted = post.read(body)
    if wanted is None:
        return None
    if given := request.META.get("HTTP_IDEMPOTENCY_KEY"):
        claim = Claim(key.tenant, call_of(request), read_key(given), fingerprint_of(body))
        return accepted(once(claim, partial(post.accept_once, key, wanted)), view)
    return accepted(post.accept(key, wanted), view) if given is None else None


def once(claim: Claim, accept: Callable[[Record], Answer | None]) -> Answer | None:
    with waiting_for_twin():
        return accept(lambda answer: recorded(claim, answer))


def recorded(claim: Claim, answer: Answer) -> Entry:
    receipt, headers = answer
    return record_of(claim, status=ACCEPTED, body=RENDERER.render(receipt), location=headers["Location"])


def accepted(answer: Answer | None, view: Any) -> HttpResponse | None:
    if answer is None:
        return None
    receipt, headers = answer
    headers["Allow"] = allowed(view)
    return HttpResponse(RENDERER.render(receipt), status=ACCEPTED, headers=headers, content_type=JSON)


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
