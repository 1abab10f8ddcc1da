"""Kept connections, looked at without a round trip."""

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's connections"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def other():
    """A second connection, as another thread has it."""
    copy = connection.copy()
    yield copy
    copy.close()


def run(wrapper, statement):
    with wrapper.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


def test_a_silent_connection_is_usable_and_not_asked(other):
    run(other, "SELECT 1")
    pid = other.connection.info.backend_pid

    assert other.is_usable()

    asked = run(connection, f"SELECT state_change < now() FROM pg_stat_activity WHERE pid = {pid}")
    assert asked == (True,)


def test_a_connection_that_the_server_has_closed_is_replaced(other):
    run(other, "SELECT 1")
    pid = other.connection.info.backend_pid
    run(connection, f"SELECT pg_terminate_backend({pid}, 5000)")

    assert not other.is_usable()
    other.health_check_enabled, other.health_check_done = True, False
    assert run(other, "SELECT 2") == (2,)


def test_a_connection_with_something_to_say_is_asked_and_stays(other):
    run(other, "LISTEN gossip")
    run(connection, "NOTIFY gossip")

    assert other.is_usable()
    assert run(other, "SELECT 3") == (3,)


def test_a_closed_connection_is_not_usable(other):
    run(other, "SELECT 1")
    other.connection.close()

    assert not other.is_usable()
