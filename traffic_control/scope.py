"""Whose rows the code at hand may see: everybody's outside of requests, nobody's in one until its tenant is known.

Two layers hold to it: querysets of what belongs to a tenant (`tenants.scoping`), and in PostgreSQL row-level security
(`traffic_control.postgresql`), for which every statement carries the scope it is run in. So nothing has to be put back
on a connection, and nothing can stay there.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase


@dataclass(frozen=True, slots=True)
class Scope:
    """`tenant_id` is None for nobody, and has no meaning for everybody."""

    tenant_id: uuid.UUID | None = None
    is_everybody: bool = False


EVERYBODY = Scope(is_everybody=True)
NOBODY = Scope()
_scope: ContextVar[Scope] = ContextVar("scope", default=EVERYBODY)


def current_scope() -> Scope:
    return _scope.get()


def is_narrow() -> bool:
    """Whether only one tenant's rows, or nobody's, may be seen."""
    return not _scope.get().is_everybody


def narrow_to(tenant_id: uuid.UUID) -> None:
    """The request under way is this tenant's from here on. Means nothing where everybody's rows may be seen."""
    if not _scope.get().is_everybody:
        _scope.set(Scope(tenant_id))


@contextmanager
def within(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def across_tenants() -> Iterator[None]:
    """For what cannot start from one tenant: finding out whose a key is, the pipeline, operators. Also a decorator."""
    with within(EVERYBODY):
        yield


class ScopeMiddleware:
    """A request begins as nobody's, and leaves nothing behind, however it ends."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _scope.set(NOBODY)
        try:
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
                content = cast("Iterable[bytes]", response.streaming_content)
                response.streaming_content = _piece_by_piece(content, _scope.get())
            return response
        finally:
            _scope.reset(token)


def _piece_by_piece(content: Iterable[bytes], scope: Scope) -> Iterator[bytes]:
    """What is made while it is sent is made when the request is over, and is the tenant's all the same."""
    pieces = iter(content)
    while True:
        with within(scope):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
