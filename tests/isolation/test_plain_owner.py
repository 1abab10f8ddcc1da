"""As on a managed PostgreSQL: the login owns its database, is no superuser, and cannot bypass anything."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from tests.isolation.conftest import on_postgres

pytestmark = [on_postgres, pytest.mark.timeout(240)]
SCENE = """
import json
from django.db import connection
from django.test import Client
from tenants.services import register
from traffic_control.scope import NOBODY, Scope, within
from user_preferences.models import Customer

def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]

one, other = register("One", "one@example.com"), register("Other", "other@example.com")
batch = {"notifications": [{"channel": "email", "to": f"a{n}@example.com", "body": "b"} for n in range(30)]}
headers = {"X-API-KEY": one.test_api_key}
answer = Client().post("/v1/notify/batch/", json.dumps(batch), content_type="application/json", headers=headers)
ledger = "delivery_gateway_notificationlog"
seen = {"status": answer.status_code, "everybody": count(ledger)}
for name, scope in (("own", Scope(one.tenant.id)), ("other", Scope(other.tenant.id)), ("nobody", NOBODY)):
    with within(scope):
        seen[name] = count(ledger)
from delivery_gateway.models import NotificationLog
seen["states"] = sorted(set(NotificationLog.objects.values_list("status", flat=True)))
seen["has_role"] = bool(connection.connection.narrow_role)
print(json.dumps(seen))
"""


@dataclass(frozen=True)
class Owner:
    """A database of its own, and `manage.py` as its owner runs it."""

    name: str
    url: str

    def manage(self, *arguments: str) -> str:
        ours = {"DATABASE_URL": self.url, "DEBUG": "1", "ALLOWED_HOSTS": "testserver", "CELERY_TASK_ALWAYS_EAGER": "1"}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | ours,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def owner(db: None) -> Iterator[Owner]:
    name, password = f"plain_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    server = psycopg2.connect(**connection.get_connection_params() | {"dbname": "postgres"})
    server.autocommit = True
    parts, params = urlsplit(os.environ["DATABASE_URL"]), server.get_dsn_parameters()
    with server.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}'")
        cursor.execute(f"CREATE DATABASE {name} OWNER {name}")
        yield Owner(name, f"postgres://{name}:{password}@{params.get('host', parts.hostname)}:{parts.port}/{name}")
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        cursor.execute(f"DROP ROLE IF EXISTS {name}_tenant")
        cursor.execute(f"DROP ROLE {name}")
    server.close()


def scene(owner: Owner) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(owner.manage("shell", "-v0", "-c", SCENE).splitlines()[-1])
    return seen


def test_owner_is_isolated_before_and_after_it_is_forced(owner: Owner) -> None:
    """One way through: a database takes seconds to make."""
    owner.manage("migrate", "-v0")
    before = scene(owner)
    steps = owner.manage("isolate")
    after = scene(owner)

    assert before == {
        "status": 202, "everybody": 30, "own": 30, "other": 0, "nobody": 0, "states": ["sent"], "has_role": True,
    }  # fmt: skip
    assert "steps were missing" in steps
    assert after == before | {"everybody": 60}
    assert owner.manage("isolate") == "All is in place.\n"
