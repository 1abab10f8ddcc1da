"""Every call of every app: without a key 401, without its scope 403, with just its scope not refused.

Users' own inboxes take no keys: see tests/inbox.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from inbox.access import InboxView
from tenants import authentication, scopes

SPOKEN = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOBODYS_ID = "01a00000-0000-7000-8000-000000000000"
PUBLIC = {"POST /v1/tenants/register/", f"POST /v1/callbacks/{NOBODYS_ID}/"}  # the second is proven by a signature


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    view: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> str:
        return authentication.scope_of(self.view, self.method)


def calls() -> Iterator[Call]:
    for path, view in views(get_resolver().url_patterns):
        if path.startswith(("/api/", "/v1/")) and hasattr(view, "authentication_classes"):
            for method in SPOKEN:
                if hasattr(view, method.lower()) and not isinstance(view, InboxView):
                    yield Call(method, path, view)


def views(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + filled(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, path)
        elif view := getattr(pattern.callback, "cls", None):
            yield path, view(**getattr(pattern.callback, "initkwargs", {}))


def filled(pattern: Any) -> str:
    route = str(pattern)
    for name, converter in pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(written, NOBODYS_ID)
    return route


CALLS = [call for call in calls() if call.path != "/api/schema/"]
GUARDED = [call for call in CALLS if str(call) not in PUBLIC]


def test_matrix_is_of_all_calls():
    assert len(GUARDED) > 20
    assert {str(call) for call in CALLS if not call.view.authentication_classes} == PUBLIC


OPEN = {  # to everybody, or guarded by something else
    "": "a redirect",
    "admin/": "a session",
    "demo/inbox/": "a page to try things with, under DEBUG only",
    "demo/inbox/token/": "",
    "demo/inbox/send/": "",
    "docs/errors/": "",
    "docs/api/": "",
    "api/schema/": "",
    "livez": "",
    "livez/": "",
    "readyz": "",
    "readyz/": "",
    "health/": "",
    "health/redis/": "",
    "health/celery/": "",
    "metrics": "a token or a network",
    "metrics/": "a token or a network",
    "u/<str:token>": "a signed link",
    "p/<str:token>": "a signed link",
}


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Each with whether it is in the matrix. The console's own are one."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and route != "admin/":
            yield from routes(pattern.url_patterns, route)
        else:
            view = getattr(getattr(pattern, "callback", None), "cls", None)
            yield route, hasattr(view, "authentication_classes") and route.startswith(("api/", "v1/"))


def test_every_route_is_in_the_matrix_or_open_on_purpose():
    beside = {route for route, is_in_matrix in routes(get_resolver().url_patterns) if not is_in_matrix}

    assert beside | {"api/schema/"} == set(OPEN)


@pytest.mark.parametrize("call", GUARDED, ids=str)
def test_every_call_names_a_known_scope(call):
    assert call.needs in scopes.SCOPES
    assert list(call.view.permission_classes) == [authentication.HasScope]


@pytest.mark.parametrize("call", GUARDED, ids=str)
def test_call_without_a_key_is_refused(db, client, call):
    assert client.generic(call.method, call.path).status_code == 401


@pytest.mark.parametrize("call", GUARDED, ids=str)
def test_call_needs_its_scope_and_no_other(api_with, call):
    others = [scope for scope in scopes.ALL if scope != call.needs]

    without = api_with(*others).generic(call.method, call.path, "{}", "application/json")
    with_it = api_with(call.needs, mode="test").generic(call.method, call.path, "{}", "application/json")

    assert (without.status_code, without.json()["code"]) == (403, "missing_scope")
    assert with_it.status_code not in (401, 500)
    assert with_it.status_code != 403 or with_it.json()["code"] == "live_key_needed"


def test_method_that_a_view_lacks_is_405(api):
    answer = api.delete("/v1/tenants/me/")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_view_that_forgot_its_scope_fails_loudly(api, monkeypatch):
    from tenants.views import MeView

    monkeypatch.setattr(MeView, "scopes", {})
    api.raise_request_exception = False

    assert api.get("/v1/tenants/me/").status_code == 500
