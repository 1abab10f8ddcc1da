"""Tenants inside the test's transaction, and clients for them. A folder's conftest imports what its tests ask for."""

import pytest
from rest_framework.test import APIClient

from tenants import keys
from tenants.services import Registration, register
from tests.conftest import client_with


@pytest.fixture
def acme(db: None) -> Registration:
    return register("Acme", "ops@acme.test")


@pytest.fixture
def globex(db: None) -> Registration:
    """Another tenant, whose things nobody else may see."""
    return register("Globex", "ops@globex.test")


@pytest.fixture
def api(acme: Registration) -> APIClient:
    return client_with(acme.api_key)


@pytest.fixture
def api_with(acme: Registration):
    """A client whose key has just these scopes."""

    def make(*scopes: str, mode: str = "live") -> APIClient:
        return client_with(keys.issue(acme.tenant, mode, name="For a test", scopes=scopes)[1])

    return make
