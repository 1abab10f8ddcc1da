"""What every test may ask for: a tenant with its keys, and clients that speak to the API as a tenant would."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from rest_framework.test import APIClient

from tenants.bad_keys import FAILURES
from tenants.key_cache import KEYS
from tenants.services import Registration, register
from tests import emptying

pytest_plugins = ["tests.peers.fixtures"]

needs_redis = pytest.mark.skipif(not configured.REDIS_URL, reason="limits are counted in Redis")


def pytest_configure() -> None:
    """Who wants a journal names a folder of its own. A million rounds of hashing a password take 0.2 s."""
    configured.JOURNAL_DIR = ""
    PBKDF2PasswordHasher.iterations = 1


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Between tests SQLite is emptied row by row, which the audit log's triggers would refuse."""
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER monitoring_auditentry_no_delete")
            cursor.execute("DROP TRIGGER monitoring_auditentry_no_update")
    else:
        with django_db_blocker.unblock():
            emptying.install()


@pytest.fixture(autouse=True)
def _fresh_process_state() -> Iterator[None]:
    """Rows of a test are gone after it; what the process remembers of them must go too."""
    KEYS.clear()
    FAILURES.forget()
    yield
    KEYS.clear()


@pytest.fixture
def inline(settings: Any) -> None:
    """Stages run inside the request that wakes them, to their end (`CELERY_TASK_ALWAYS_EAGER`)."""
    settings.CELERY_TASK_ALWAYS_EAGER = True


@pytest.fixture
def acme(transactional_db: None) -> Registration:
    return register("Acme", "ops@acme.test")


@pytest.fixture
def live(acme: Registration, inline: None) -> APIClient:
    return client_with(acme.api_key)


@pytest.fixture
def sandbox(acme: Registration, inline: None) -> APIClient:
    """A client with the test key: nothing leaves."""
    return client_with(acme.test_api_key)


def client_with(key: str) -> APIClient:
    client = APIClient(headers={"X-API-KEY": key})
    client.default_format = "json"
    return client
