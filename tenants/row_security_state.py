"""What the catalogue of PostgreSQL says of row-level security here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from traffic_control.postgresql.roles import COMPLETE, NARROW

POLICY, FOR_ALL = "own_tenant_only", "every_tenant"
SESSION = """
SELECT u.rolname, current_database(), u.rolsuper OR u.rolbypassrls,
    coalesce(shobj_description(r.oid, 'pg_authid') = %s, false), r.oid IS NOT NULL,
    coalesce(pg_has_role(session_user, r.oid, 'MEMBER'), false)
FROM pg_roles AS u LEFT JOIN pg_roles AS r ON r.rolname = current_database() || %s
WHERE u.rolname = session_user"""
TABLES = """
SELECT relname, relrowsecurity, relforcerowsecurity,
    EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = %(policy)s),
    EXISTS (SELECT FROM aclexplode(relacl) AS a WHERE a.grantee = to_regrole(%(quoted)s) AND privilege_type = 'DELETE'),
    ARRAY(SELECT DISTINCT rolname::text FROM aclexplode(coalesce(relacl, acldefault('r', relowner))) AS a
        JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE privilege_type = 'SELECT' AND NOT rolsuper AND NOT rolbypassrls AND rolname <> %(role)s ORDER BY 1),
    ARRAY(SELECT rolname::text FROM pg_policy JOIN pg_roles AS r ON r.oid = ANY (polroles)
        WHERE polrelid = c.oid AND polname = %(for_all)s)
FROM pg_class AS c WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%(tables)s)"""
STRANGERS = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND NOT pg_has_role(oid, to_regrole(%s), 'MEMBER')"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in, where, and what row-level security is to that role."""

    user: str
    database: str
    bypasses: bool
    is_complete: bool  # as the tenant role's comment has it
    has_role: bool
    may_take_role: bool

    @property
    def role(self) -> str:
        return self.database + NARROW


@dataclass(frozen=True, slots=True)
class State:
    """Of a table. `users` may read it and bypass nothing: its owner, and whom that has let. `admitted`: to all rows."""

    is_enabled: bool
    is_forced: bool
    has_policy: bool
    is_granted: bool
    users: list[str]
    admitted: list[str]

    @property
    def is_open(self) -> bool:
        """To those who did with it what they liked before there were policies."""
        return set(self.users) <= set(self.admitted)


def session() -> Session:
    [row] = rows(SESSION, [COMPLETE, NARROW])
    return Session(*row)


def states(tables: Sequence[str], role: str) -> dict[str, State]:
    named = {"policy": POLICY, "for_all": FOR_ALL, "role": role, "quoted": quoted(role), "tables": list(tables)}
    return {row[0]: State(*row[1:]) for row in rows(TABLES, named)}


def strangers(users: Sequence[str], role: str) -> list[str]:
    """Those who may not take the role. All of them, while there is none."""
    if not rows("SELECT FROM pg_roles WHERE rolname = %s", [role]):
        return list(users)
    return [user for (user,) in rows(STRANGERS, [list(users), quoted(role)])]


def schema() -> str:
    [(name,)] = rows("SELECT current_schema()")
    return str(name)


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def rows(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
