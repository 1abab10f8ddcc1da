"""Two tenants inside the test's transaction, and clients for them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from monitoring.models import AuditEntry
from tenants.services import Registration, register
from tests.conftest import client_with


@pytest.fixture
def acme(db) -> Registration:
    return register("Acme", "ops@acme.test")


@pytest.fixture
def globex(db) -> Registration:
    return register("Globex", "ops@globex.test")


@pytest.fixture
def api(acme):
    return client_with(acme.api_key)


@pytest.fixture
def operator(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="correct horse battery"))
    return client


@pytest.fixture
def since(acme):
    """The entries since the test began, oldest first."""
    before = AuditEntry.objects.count()
    return lambda: list(AuditEntry.objects.order_by("id")[before:])
