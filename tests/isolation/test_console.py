"""The console: superusers look across tenants, staff see their tenant in both layers, others nothing."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tenants.console_scope import ConsoleScope
from tenants.scoping import UnscopedQuery
from tests.admin.conftest import logged_in, staff
from tests.isolation.conftest import Pair, on_postgres
from traffic_control.scope import EVERYBODY, NOBODY, Scope, ScopeMiddleware, current_scope
from user_preferences.models import Customer

PAGE = "/admin/user_preferences/customer/"


def scope_of(user: Any, path: str = PAGE) -> Scope:
    seen: list[Scope] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(current_scope())
        return HttpResponse()

    request = RequestFactory().get(path)
    request.user = user
    ScopeMiddleware(ConsoleScope(answer))(request)
    return seen[0]


def test_whose_rows_a_page_is_about(pair: Pair) -> None:
    root = User.objects.create_superuser("root", password="correct horse battery")
    belongs, strays = staff(pair.own), staff(None)

    scopes = [scope_of(user) for user in (root, belongs, strays, AnonymousUser())]

    assert scopes == [EVERYBODY, Scope(pair.own.id), NOBODY, NOBODY]
    assert scope_of(belongs, "/v1/notify/") == NOBODY


def test_page_that_forgets_the_tenant_raises(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, Customer.objects)
    client = logged_in(staff(pair.own, *Permission.objects.all()))

    with pytest.raises(UnscopedQuery):
        client.get(PAGE)


@on_postgres
def test_page_past_the_scope_shows_no_foreign_row(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, Customer._base_manager)
    client = logged_in(staff(pair.own, *Permission.objects.all()))

    page = client.get(PAGE).content.decode()

    assert ("acme-user" in page, "globex-user" in page) == (True, False)


def forget(monkeypatch: pytest.MonkeyPatch, rows: Any) -> None:
    """Lists all that these rows' query finds."""
    console = admin.site._registry[Customer]
    monkeypatch.setattr(type(console), "get_queryset", lambda self, request: rows.all())
