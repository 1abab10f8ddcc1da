"""Kept connections, looked at without a round trip."""

import pytest
from django.db import DataError, connection

from traffic_control.postgresql.prepared import Statement

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


INSERT = Statement("INSERT INTO notes (number, words) SELECT %s, %s WHERE %s > 1", ["integer", "text"])


@pytest.fixture
def notes(other):
    run(other, "CREATE TEMP TABLE notes (number integer, words text)")
    yield lambda: run(other, "SELECT count(*) FROM notes")[0]
    type(other).may_prepare = True


def prepared(wrapper):
    return run(wrapper, "SELECT count(*), coalesce(sum(generic_plans + custom_plans), 0) FROM pg_prepared_statements")


def test_a_statement_is_prepared_once_for_each_connection(other, notes):
    assert [other.run(INSERT, [number, "50 % off", number]) for number in (1, 2, 3)] == [0, 1, 1]

    assert (notes(), prepared(other)) == (2, (1, 3))
    other.close()
    run(other, "CREATE TEMP TABLE notes (number integer, words text)")
    assert other.run(INSERT, [4, None, 4]) == 1


def test_a_statement_within_a_transaction_is_not_prepared(other, notes):
    with other.connection:
        other.in_atomic_block = True
        assert other.run(INSERT, [2, "", 2]) == 1
        other.in_atomic_block = False

    assert (notes(), prepared(other)) == (1, (0, 0))


@pytest.mark.parametrize("pooler_did", ["DEALLOCATE ALL", f"DEALLOCATE ALL; {INSERT.prepare}"])
def test_behind_a_pooler_that_shares_connections_nothing_is_prepared(other, notes, pooler_did):
    other.run(INSERT, [2, "", 2])
    if "PREPARE" in pooler_did:
        other._prepared.clear()
    run(other, pooler_did)

    assert other.run(INSERT, [3, "", 3]) == 1
    assert other.run(INSERT, [4, "", 4]) == 1

    assert notes() == 3
    assert not other.may_prepare


def test_a_refused_value_is_told_and_nothing_else_is_concluded(other, notes):
    with pytest.raises(DataError):
        other.run(INSERT, ["no number", "", 2])

    assert other.may_prepare
    assert other.run(INSERT, [2, "", 2]) == 1
