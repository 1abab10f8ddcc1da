"""Connections are kept and shared; the tenant of a statement is not. Nothing stays, whatever happened before."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, NotSupportedError, OperationalError, connection, connections, transaction
from django.test import Client

from tenants.models import ApiKey, Tenant
from tenants.ownership import owned
from tests.isolation.conftest import Pair, on_postgres
from traffic_control.postgresql import base
from traffic_control.scope import EVERYBODY, NOBODY, Scope, across_tenants, current_scope, within
from user_preferences.models import Customer

pytestmark = on_postgres
WHO = "SELECT current_user = session_user, coalesce(current_setting('traffic_control.tenant', true), '')"
BARE = (True, "")


def who() -> tuple[bool, str]:
    """As the connection itself is, without the words that a statement of ours would bring."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        super(type(cursor), cursor).execute(WHO)
        is_plain, tenant = cursor.fetchone()
        return is_plain, tenant


def seen() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id FROM user_preferences_customer")
        return {user_id for (user_id,) in cursor.fetchall()}


def test_statement_leaves_nothing_on_its_connection(lasting_pair: Pair) -> None:
    with lasting_pair.in_own():
        assert seen() == {"acme-user"}
        assert who() == BARE


def test_error_leaves_nothing_on_its_connection(lasting_pair: Pair) -> None:
    with lasting_pair.in_own(), pytest.raises(DatabaseError):
        connection.cursor().execute("SELECT 1 / 0")

    assert who() == BARE
    with within(NOBODY):
        assert seen() == set()


def test_transaction_that_failed_leaves_nothing(lasting_pair: Pair) -> None:
    def fail() -> None:
        with transaction.atomic():
            assert seen() == {"acme-user"}
            connection.cursor().execute("SELECT 1 / 0")

    with lasting_pair.in_own(), pytest.raises(DatabaseError):
        fail()

    assert who() == BARE


def test_scopes_alternate_within_a_transaction(lasting_pair: Pair) -> None:
    with transaction.atomic():
        with lasting_pair.in_own():
            assert seen() == {"acme-user"}
            with across_tenants():
                assert seen() == {"acme-user", "globex-user"}
            assert seen() == {"acme-user"}
        with within(Scope(lasting_pair.other.id)):
            assert seen() == {"globex-user"}
        assert seen() == {"acme-user", "globex-user"}


def test_savepoint_that_is_rolled_back_changes_no_scope(lasting_pair: Pair) -> None:
    with transaction.atomic(), lasting_pair.in_own():
        with pytest.raises(DatabaseError), transaction.atomic(), within(Scope(lasting_pair.other.id)):
            connection.cursor().execute("SELECT 1 / 0")

        assert seen() == {"acme-user"}


@pytest.mark.parametrize("is_in_transaction", [True, False])
def test_cursor_of_the_server_keeps_to_its_tenant(lasting_pair: Pair, is_in_transaction: bool) -> None:
    with lasting_pair.in_own():
        if is_in_transaction:
            with transaction.atomic():
                found = [one.user_id for one in Customer.objects.for_tenant(lasting_pair.own).iterator()]
        else:
            found = [one.user_id for one in Customer._base_manager.iterator()]

    assert found == ["acme-user"]


def test_threads_have_a_scope_each(lasting_pair: Pair) -> None:
    meeting = threading.Barrier(2, timeout=20)

    def look(tenant: Tenant) -> list[set[str]]:
        try:
            found = []
            for _ in range(5):
                with within(Scope(tenant.id)):
                    meeting.wait()
                    found.append(seen())
            return found
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        acme, globex = pool.map(look, [lasting_pair.own, lasting_pair.other])

    assert (acme, globex) == ([{"acme-user"}] * 5, [{"globex-user"}] * 5)


def test_copy_is_refused_within_a_tenant(lasting_pair: Pair) -> None:
    with lasting_pair.in_own(), connection.cursor() as cursor, pytest.raises(Exception, match="row-level security"):
        cursor.copy_expert("COPY user_preferences_customer FROM STDIN", StringIO(""))


@pytest.mark.parametrize("name", ["callproc", "copy_from", "copy_to"])
def test_no_way_past_the_scope(db: None, name: str) -> None:
    with connection.cursor() as cursor, pytest.raises((NotSupportedError, Exception), match="minds the scope"):
        getattr(cursor.cursor, name)("now")


def test_role_alone_finds_no_row(lasting_pair: Pair) -> None:
    """As somebody would who has nothing of ours but the role: without the words, in a session of psycopg2's own."""
    tables = [f"{verb}{table.table}" for table in owned() for verb in ("SELECT * FROM ", "DELETE FROM ")]
    connection.ensure_connection()
    role = connection.connection.narrow_role
    params = {name: value for name, value in connection.get_connection_params().items() if "factory" not in name}
    with closing(psycopg2.connect(**params)) as bare, bare.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        assert [sql for sql in tables if rows_of(cursor, sql)] == []
        cursor.execute("RESET ROLE")
        assert [sql for sql in tables[::2] if not rows_of(cursor, sql)] == []


def rows_of(cursor: Any, sql: str) -> int:
    cursor.execute(sql)
    return int(cursor.rowcount)


def test_on_is_no_database_until_there_is_a_role(
    lasting_pair: Pair, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands go on: one of them is to make it."""
    settings.ROW_SECURITY = "on"
    connection.close()
    with monkeypatch.context() as patched:
        patched.setattr(base, "STANDING", "SELECT NULL, false")
        with lasting_pair.in_own(), pytest.raises(OperationalError, match="isolate"):
            seen()
        assert client.get("/readyz").status_code == 503
        assert seen() == {"acme-user", "globex-user"}

    connection.close_if_unusable_or_obsolete()  # as at each request
    assert client.get("/readyz").status_code == 200


def test_request_leaves_no_scope_behind(lasting_pair: Pair, client: "object") -> None:
    from tenants import keys
    from tests.conftest import client_with

    _, secret = keys.issue(lasting_pair.own, ApiKey.Mode.LIVE, name="k", scopes=["read"])
    api = client_with(secret)

    statuses = [api.get(path).status_code for path in ("/api/v1/customers/", "/v1/no/", "/api/v1/customers/x/")]

    assert statuses == [200, 404, 404]
    assert (current_scope(), who()) == (EVERYBODY, BARE)
