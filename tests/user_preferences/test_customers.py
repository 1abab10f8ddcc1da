"""Storing many customers in few statements."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.services import register
from user_preferences import customers, selectors
from user_preferences.customers import RecipientInput
from user_preferences.models import Customer

HOOK = "https://hooks.example.com/a"


def people(count: int, **fields) -> list[RecipientInput]:
    return [RecipientInput(f"u{n:04}", **fields) for n in range(count)]


def statements(tenant, recipients) -> int:
    """How many it takes, without those that open and close savepoints."""
    with CaptureQueriesContext(connection) as queries:
        customers.upsert(tenant, recipients)
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


def test_upsert_creates_and_returns_by_user_id(acme):
    stored = customers.upsert(acme.tenant, [RecipientInput("u1", name="Ann", addresses={"slack": HOOK})])

    reread = Customer.objects.get(tenant=acme.tenant, user_id="u1")
    assert list(stored) == ["u1"]
    assert stored["u1"].id == reread.id
    assert (reread.name, reread.addresses, reread.email) == ("Ann", {"slack": HOOK}, "")


def test_upsert_leaves_what_is_not_said(acme):
    customers.upsert(acme.tenant, [RecipientInput("u1", name="Ann", email="ann@example.com", attributes={"a": 1})])

    stored = customers.upsert(acme.tenant, [RecipientInput("u1", email="new@example.com", attributes={"b": 2})])

    assert (stored["u1"].name, stored["u1"].email, stored["u1"].attributes) == (
        "Ann",
        "new@example.com",
        {"a": 1, "b": 2},
    )
    assert selectors.by_user_ids(acme.tenant.id, ["u1"])["u1"].email == "new@example.com"


def test_upsert_takes_addresses_away_that_are_none(acme):
    customers.upsert(acme.tenant, [RecipientInput("u1", addresses={"slack": HOOK, "teams": HOOK})])

    stored = customers.upsert(acme.tenant, [RecipientInput("u1", addresses={"slack": None})])

    assert stored["u1"].addresses == {"teams": HOOK}


def test_upsert_of_one_user_id_twice_joins_both(acme):
    twice = [
        RecipientInput("u1", name="Ann", addresses={"slack": HOOK}),
        RecipientInput("u1", email="ann@example.com", addresses={"teams": HOOK}),
    ]

    stored = customers.upsert(acme.tenant, twice)

    assert (stored["u1"].name, stored["u1"].email) == ("Ann", "ann@example.com")
    assert stored["u1"].addresses == {"slack": HOOK, "teams": HOOK}


def test_upsert_touches_updated_at_only_of_who_changed(acme):
    before = customers.upsert(acme.tenant, people(2, name="Ann"))

    customers.upsert(acme.tenant, [RecipientInput("u0000", name="Ann"), RecipientInput("u0001", name="Ben")])

    after = selectors.by_user_ids(acme.tenant.id, ["u0000", "u0001"])
    assert after["u0000"].updated_at == before["u0000"].updated_at
    assert after["u0001"].updated_at > before["u0001"].updated_at


def test_upsert_keeps_tenants_apart(acme, globex):
    customers.upsert(acme.tenant, [RecipientInput("u1", name="Ann")])
    customers.upsert(globex.tenant, [RecipientInput("u1", name="Bob")])

    names = [selectors.by_user_ids(tenant.id, ["u1"])["u1"].name for tenant in (acme.tenant, globex.tenant)]

    assert names == ["Ann", "Bob"]


def test_upsert_takes_a_handful_of_statements_whatever_the_number(acme):
    """SQLite takes fewer parameters a statement, so its inserts are split."""
    split = 16 if connection.vendor == "sqlite" else 1

    created = statements(acme.tenant, people(1_000, name="Ann"))
    unchanged = statements(acme.tenant, people(1_000, name="Ann"))
    changed = statements(acme.tenant, people(1_000, name="Ben"))

    assert created <= 2 + split
    assert unchanged == 1
    assert changed == (7 if connection.vendor == "sqlite" else 3)
    assert Customer.objects.filter(name="Ben").count() == 1_000


def test_store_tells_who_is_new(acme):
    customers.upsert(acme.tenant, people(1))

    assert customers.store(acme.tenant, people(3)).new == {"u0001", "u0002"}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the test database is one connection")
def test_upsert_by_many_at_once_loses_nobody(transactional_db):
    tenant = register("Acme", "ops@acme.test").tenant

    def introduce(n: int) -> None:
        order = people(50, **{"attributes": {f"by{n}": True}})
        customers.upsert(tenant, order if n % 2 else order[::-1])
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(introduce, range(8)))

    stored = Customer.objects.for_tenant(tenant)
    assert stored.count() == 50
    assert {len(customer.attributes) for customer in stored} == {8}
