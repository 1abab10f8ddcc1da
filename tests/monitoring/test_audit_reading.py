"""The audit log is read by its tenant and in the console, and stays as it was written."""

from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from monitoring.models import AppendOnly, AuditEntry
from tenants.models import ApiKey
from tests.admin.pages import add_to, page_of
from tests.conftest import client_with


@pytest.fixture
def protected(db):
    """On SQLite the suite takes the triggers off, because it empties tables row by row."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for statement in import_module("monitoring.migrations.0001_audit_log").SQLITE:
                cursor.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE monitoring_auditentry SET summary = ''", "DELETE FROM monitoring_auditentry"]
)
def test_database_refuses_to_rewrite_the_log(acme, protected, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_code_refuses_to_rewrite_the_log(acme):
    entry = AuditEntry.objects.first()
    assert entry is not None
    entry.summary = "Nothing happened"

    for rewrite in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(ip=""),
    ):
        with pytest.raises(AppendOnly):
            rewrite()


def test_console_shows_the_log_and_offers_no_change(operator, acme):
    entry = AuditEntry.objects.filter(action="api_key.created").first()
    assert entry is not None

    page = operator.get(page_of(entry)).content.decode()

    assert entry.summary in page
    assert 'name="_save"' not in page
    assert operator.post(page_of(entry), {"summary": "x"}).status_code == 403
    assert operator.post(page_of(entry, "delete"), {"post": "yes"}).status_code == 403
    assert operator.get(add_to(AuditEntry)).status_code == 403


def test_list_tells_the_newest_first_to_its_tenant_only(api, acme, globex):
    api.post("/v1/workflows/", {"event_type": "SHIPPED"})

    page = api.get("/v1/audit/?limit=2").json()

    assert [row["action"] for row in page["data"]] == ["workflow.created", "api_key.created"]
    assert page["data"][0]["actor"]["kind"] == "api_key"
    assert page["data"][0]["object"]["kind"] == "workflow"
    rest = api.get(f"/v1/audit/?limit=200&cursor={page['next_cursor']}").json()
    assert [row["action"] for row in rest["data"]] == ["api_key.created", "integration.created", "tenant.created"]
    assert client_with(globex.api_key).get(f"/v1/audit/?cursor={page['next_cursor']}").status_code == 400


def test_list_is_filtered(api, acme):
    made = api.post("/v1/workflows/", {"event_type": "SHIPPED"}).json()
    caller = str(ApiKey.objects.get(name="First live key").id)

    def count(**query):
        return len(api.get("/v1/audit/", query).json()["data"])

    assert count() == 5
    assert (count(action="api_key.created"), count(action="api_key")) == (2, 0)
    assert (count(actor="system"), count(actor=caller), count(actor="nobody")) == (4, 1, 0)
    assert count(object=made["id"]) == 1
    assert (count(since="2000-01-01T00:00:00Z"), count(until="2000-01-01T00:00:00Z")) == (5, 0)


@pytest.mark.parametrize("query", ["acton=x", "since=yesterday", "limit=0"])
def test_list_with_a_wrong_filter_is_a_problem(api, query):
    assert api.get(f"/v1/audit/?{query}").status_code == 400


def test_address_of_the_caller_is_what_the_proxy_saw(api, settings, since):
    settings.BEHIND_PROXY = True

    api.patch("/v1/tenants/me/", {"name": "A"}, headers={"X-Forwarded-For": "10.9.9.9, 203.0.113.7"})
    settings.BEHIND_PROXY = False
    api.patch("/v1/tenants/me/", {"name": "B"}, headers={"X-Forwarded-For": "10.9.9.9, 203.0.113.7"})

    assert [entry.ip for entry in since()] == ["203.0.113.7", "127.0.0.1"]
