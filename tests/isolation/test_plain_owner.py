"""As on a managed PostgreSQL: the login owns its database, is no superuser, and cannot bypass anything."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from tests.isolation.conftest import on_postgres

pytestmark = [on_postgres, pytest.mark.timeout(240)]
SCENE = """
import io, json
from django.core.management import call_command
from django.db import connection
from django.test import Client
from delivery_gateway.models import NotificationLog
from tenants import isolation_checks
from tenants.services import register
from traffic_control.scope import EVERYBODY, NOBODY, Scope, within

def scene():
    one, other = register("One", "one@example.com"), register("Other", "other@example.com")
    batch = {"notifications": [{"channel": "email", "to": f"a{n}@example.com", "body": "b"} for n in range(30)]}
    headers = {"X-API-KEY": one.test_api_key}
    answer = Client().post("/v1/notify/batch/", json.dumps(batch), content_type="application/json", headers=headers)
    scopes = {"everybody": EVERYBODY, "own": Scope(one.tenant.id), "other": Scope(other.tenant.id), "nobody": NOBODY}
    seen = {name: count(scope) for name, scope in scopes.items()}
    states = sorted(set(NotificationLog.objects.values_list("status", flat=True)))
    return seen | {"status": answer.status_code, "states": states}

def count(scope):
    with within(scope), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM delivery_gateway_notificationlog")
        return cursor.fetchone()[0]

def isolate():
    call_command("isolate", stdout=(said := io.StringIO()))
    return said.getvalue()

def gap():
    found = isolation_checks.gap()
    return found.found if found else ""

call_command("migrate", verbosity=0)
told = {"before": scene(), "gap": gap(), "isolate": isolate(), "after": scene(), "none": gap(), "again": isolate()}
print(json.dumps(told))
"""
SEEN = {"everybody": 30, "own": 30, "other": 0, "nobody": 0, "status": 202, "states": ["sent"]}


@pytest.fixture
def database_url(db: None) -> Iterator[str]:
    """Of a database of its own, as its owner reaches it."""
    name, password = f"plain_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    server = psycopg2.connect(**connection.get_connection_params() | {"dbname": "postgres"})
    server.autocommit = True
    parts, params = urlsplit(os.environ["DATABASE_URL"]), server.get_dsn_parameters()
    with server.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}'")
        cursor.execute(f"CREATE DATABASE {name} OWNER {name}")
        yield f"postgres://{name}:{password}@{params.get('host', parts.hostname)}:{parts.port}/{name}"
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        cursor.execute(f"DROP ROLE IF EXISTS {name}_tenant")
        cursor.execute(f"DROP ROLE {name}")
    server.close()


def test_owner_is_isolated_before_and_after_it_is_forced(database_url: str) -> None:
    """One way through, in one process: a database takes seconds to make."""
    ours = {"DATABASE_URL": database_url, "DEBUG": "1", "ALLOWED_HOSTS": "testserver", "CELERY_TASK_ALWAYS_EAGER": "1"}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", SCENE]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=os.environ | ours, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])

    assert (told["before"], told["after"]) == (SEEN, SEEN | {"everybody": 60})
    assert told["gap"].startswith("row-level security is incomplete; ")
    assert told["none"] == ""
    assert "Steps taken" in told["isolate"]
    assert told["again"] == "All is in place.\n"
