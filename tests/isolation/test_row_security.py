"""The second layer: what PostgreSQL shows to statements that name one tenant, or none, whatever they ask for.

Every table is taken from the models, so a new one without a policy fails here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction

from delivery_gateway import partitions, retention
from tenants import row_security
from tenants.ownership import Owned, owned
from tests.isolation.conftest import Pair, of, on_postgres
from traffic_control.scope import NOBODY, within

pytestmark = on_postgres
APPEND_ONLY = ("monitoring_auditentry", "user_preferences_consententry")


def rows(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def changed(sql: str, params: Any = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def counts() -> dict[str, int]:
    return {table.table: rows(f"SELECT count(*) FROM {table.table}")[0][0] for table in owned()}


def stored(table: Owned, pair: Pair) -> tuple[Any, ...]:
    """A row of the other tenant, as it is."""
    condition, values = condition_for(table), [pair.other.id]
    return rows(f"SELECT * FROM {table.table} WHERE {condition} LIMIT 1", values)[0]


def condition_for(table: Owned) -> str:
    if table.through is None:
        return f"{table.column} = %s"
    whole = table.through.related_model._meta.db_table
    return f"{table.through.column} IN (SELECT id FROM {whole} WHERE {table.column} = %s)"


def test_every_table_with_a_tenant_is_known(db: None) -> None:
    with_a_tenant = rows(
        "SELECT c.relname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
        " WHERE attname = 'tenant_id' AND relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = current_schema()::regnamespace"
    )

    assert {name for (name,) in with_a_tenant} <= {table.table for table in owned()}


def test_nothing_is_missing_after_migrate(db: None) -> None:
    assert list(row_security.missing(force=True)) == []


def test_policies_are_forced(db: None) -> None:
    states = rows(
        "SELECT oid::regclass::text, relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relkind <> 'i'"
    )

    assert [table.table for table in owned() if not dict(states)[table.table]] == []


def test_role_can_bypass_nothing(db: None) -> None:
    with within(NOBODY):
        [attributes] = rows(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles"
            " WHERE rolname = current_user"
        )

    assert attributes == (False,) * 5


def test_without_a_tenant_there_is_no_row(pair: Pair) -> None:
    everybody = counts()
    with within(NOBODY):
        nobody = counts()

    assert {table: count for table, count in everybody.items() if count < 2} == {}
    assert nobody == dict.fromkeys(everybody, 0)


def test_own_rows_are_all_there_is(pair: Pair) -> None:
    own = {table.table: of(pair.own, table.model).count() for table in owned()}

    with pair.in_own():
        assert counts() == own
        for table in owned():
            assert rows(f"SELECT FROM {table.table} WHERE {condition_for(table)}", [pair.other.id]) == [], table.table


def test_foreign_rows_are_neither_changed_nor_deleted(pair: Pair) -> None:
    before = counts()

    with pair.in_own():
        for table in owned():
            column, foreign = table.model._meta.pk_fields[0].column, condition_for(table)
            change = f"UPDATE {table.table} SET {column} = {column} WHERE {foreign}"
            assert changed(change, [pair.other.id]) == 0, table.table
            assert changed(f"DELETE FROM {table.table} WHERE {foreign}", [pair.other.id]) == 0, table.table

    assert counts() == before


def test_row_for_another_tenant_is_refused(pair: Pair) -> None:
    for table in owned():
        row = stored(table, pair)
        insert = f"INSERT INTO {table.table} VALUES ({', '.join(['%s'] * len(row))})"
        with pair.in_own(), refused("violates row-level security policy"):
            changed(insert, row)


def test_row_cannot_be_given_away(pair: Pair) -> None:
    for table in owned():
        if table.column == "tenant_id" and not table.through:
            with pair.in_own(), refused(refusal(table)):
                changed(f"UPDATE {table.table} SET tenant_id = %s", [pair.other.id])


@contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        yield


def refusal(table: Owned) -> str:
    return "append-only" if table.table in APPEND_ONLY else "violates row-level security policy"


@pytest.fixture
def june(transactional_db: None) -> Iterator[str]:
    """A month that is attached later than the policies."""
    yield partitions.create([datetime(2025, 6, 1, tzinfo=UTC)])[0]
    for month in retention.months_before(datetime(2026, 1, 1, tzinfo=UTC)):
        retention.drop(retention.detach(month))


def test_partition_by_its_own_name_is_closed(lasting_pair: Pair, june: str) -> None:
    months = [partition.name for table in partitions.TABLES for partition in partitions.partitions_of(table)]
    assert june in months

    for name in months:
        with lasting_pair.in_own(), pytest.raises(ProgrammingError, match="permission denied"):
            rows(f"SELECT count(*) FROM {name}")
