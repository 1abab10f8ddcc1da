"""A tenant inside the test's transaction, and a client for each kind of key."""

import pytest

from tenants import keys
from tenants.services import Registration, register
from tests.conftest import client_with


@pytest.fixture
def acme(db) -> Registration:
    return register("Acme", "ops@acme.test")


@pytest.fixture
def globex(db) -> Registration:
    """Another tenant, whose things nobody else may see."""
    return register("Globex", "ops@globex.test")


@pytest.fixture
def api(acme):
    return client_with(acme.api_key)


@pytest.fixture
def api_with(acme):
    """A client whose key has just these scopes."""

    def make(*scopes: str, mode: str = "live"):
        return client_with(keys.issue(acme.tenant, mode, name="For a test", scopes=scopes)[1])

    return make
