"""The first layer: in a request, a query that does not name its tenant raises, in every view and for every model."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Count
from django.http import StreamingHttpResponse
from django.test import RequestFactory
from rest_framework.response import Response

from delivery_gateway.models import NotificationLog
from tenants import scopes
from tenants.models import ApiKey
from tenants.ownership import owned
from tenants.scoping import UnscopedQuery, path_to_tenant
from tests.isolation.conftest import Pair
from tests.tenants.test_scope_matrix import GUARDED
from traffic_control.ids import uuid7
from traffic_control.scope import (
    EVERYBODY,
    NOBODY,
    Scope,
    ScopeMiddleware,
    across_tenants,
    current_scope,
    narrow_to,
    within,
)
from user_preferences.models import Customer, Preference

MODELS = [table.model for table in owned()]
WAYS: dict[str, Callable[[Any], Any]] = {
    "list": lambda rows: list(rows),
    "get by primary key": lambda rows: rows.filter(pk__isnull=False).first(),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "aggregate": lambda rows: rows.aggregate(Count("pk")),
    "values": lambda rows: list(rows.values_list("pk")),
    "iterator": lambda rows: next(rows.iterator(), None),
}


def test_query_without_its_tenant_raises(pair: Pair) -> None:
    for model, way in itertools.product(MODELS, WAYS):
        for scope in (Scope(pair.own.id), NOBODY):
            with within(scope), pytest.raises(UnscopedQuery, match=model._meta.label):
                WAYS[way](model._default_manager.all())


def test_query_of_the_own_tenant_runs(pair: Pair) -> None:
    with pair.in_own():
        for model, way in itertools.product(MODELS, WAYS):
            WAYS[way](model._default_manager.filter(**{path_to_tenant(model): pair.own.id}))


def test_query_of_another_tenant_raises(pair: Pair) -> None:
    for model in MODELS:
        foreign = model._default_manager.filter(**{path_to_tenant(model): pair.other.id})
        with pair.in_own(), pytest.raises(UnscopedQuery, match=model._meta.label):
            list(foreign)


@pytest.mark.parametrize("change", [lambda rows: rows.update(user_id="x"), lambda rows: rows.delete()])
def test_change_without_a_tenant_raises(pair: Pair, change: Callable[[Any], Any]) -> None:
    with pair.in_own(), pytest.raises(UnscopedQuery):
        change(Customer.objects.filter(user_id="acme-user"))

    assert Customer.objects.filter(user_id="acme-user").exists()


def test_one_of_several_tenants_is_not_enough(pair: Pair) -> None:
    either = Customer.objects.for_tenant(pair.own) | Customer.objects.for_tenant(pair.other)
    listed = Customer.objects.filter(tenant_id__in=[pair.own.id, pair.other.id])

    for rows in (either, listed, Customer.objects.exclude(tenant_id=pair.own.id)):
        with pair.in_own(), pytest.raises(UnscopedQuery):
            list(rows)


def test_rows_of_a_row_at_hand_need_no_tenant(pair: Pair) -> None:
    with pair.in_own():
        customer = Customer.objects.for_tenant(pair.own).get()
        assert [one.tenant_id for one in customer.preferences.all()] == [pair.own.id]
        customer.refresh_from_db()
        customer.save()


def test_code_for_both_takes_the_scope_it_is_in(pair: Pair) -> None:
    everybody = set(Preference.objects.in_scope().values_list("tenant_id", flat=True))
    with pair.in_own():
        own = set(Preference.objects.in_scope().values_list("tenant_id", flat=True))
        with across_tenants():
            assert set(Preference.objects.in_scope().values_list("tenant_id", flat=True)) == everybody
    with within(NOBODY):
        nobody = set(Preference.objects.in_scope().values_list("tenant_id", flat=True))

    assert (own, everybody, nobody) == ({pair.own.id}, {pair.own.id, pair.other.id}, set())


def test_view_that_forgets_the_tenant_raises(db: None, api_with: Any, monkeypatch: Any, caplog: Any) -> None:
    def forgetful(view: Any, request: Any, **_: Any) -> Response:
        return Response([str(row.pk) for row in NotificationLog.objects.filter(pk__isnull=False)])

    client, told = api_with(*scopes.ALL, mode=ApiKey.Mode.TEST), {}
    for call in GUARDED:
        caplog.clear()
        with monkeypatch.context() as patched:
            patched.setattr(type(call.view), call.method.lower(), forgetful)
            answer = client.generic(call.method, call.path, "{}", "application/json", headers={"Cookie": "a=b"})
        told[str(call)] = (answer.status_code, "UnscopedQuery" in caplog.text, current_scope())

    assert told == dict.fromkeys(told, (500, True, EVERYBODY))
    assert told


def test_answer_that_is_streamed_is_its_tenants_to_the_end() -> None:
    tenant_id = uuid7()

    def answer(request: Any) -> StreamingHttpResponse:
        narrow_to(tenant_id)
        return StreamingHttpResponse(str(current_scope().tenant_id) for _ in range(2))

    response: Any = ScopeMiddleware(answer)(RequestFactory().get("/"))
    pieces = [(piece.decode(), current_scope()) for piece in response]

    assert pieces == [(str(tenant_id), EVERYBODY)] * 2
