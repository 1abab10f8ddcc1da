"""Row-level security: the second layer. Under a database's tenant role, a row of another tenant does not exist.

`missing` says what it takes, from the models and the catalogue; `install` does it: any number of times, and beside a
service that runs. A table is locked for milliseconds when it gets its policy, and nobody waits longer than LOCK_SECONDS
behind us for that.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection, transaction

from tenants.ownership import Owned, owned
from tenants.row_security_state import FOR_ALL, POLICY, State, quoted, schema, session, states, strangers
from traffic_control.postgresql.roles import COMPLETE
from traffic_control.postgresql.scoped import TENANT

if TYPE_CHECKING:
    from traffic_control.postgresql.base import DatabaseWrapper

log = logging.getLogger(__name__)

LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 60, 1.0
LOCK_NOT_AVAILABLE, INSUFFICIENT_PRIVILEGE = "55P03", "42501"
CURRENT = f"nullif(current_setting('{TENANT}', true), '')::uuid"
UNABLE = "row-level security is not set up: this role may not do it. manage.py isolate --sql says what has to be run"


def after_migrate(**_: Any) -> None:
    """Receives `post_migrate`. Who may not make roles goes on without, and is told what to ask for.

    Not forced on an owner: the former release may run beside, and COPY as it pleases.
    """
    if connection.vendor != "postgresql" or settings.ROW_SECURITY == "off":
        return
    try:
        install(force=session().bypasses)
    except ProgrammingError as exc:
        if getattr(exc.__cause__, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
            raise
        log.warning(UNABLE)


def install(*, force: bool) -> int:
    """How many steps it took. `force`: the policies hold for whoever owns the tables, too."""
    steps = list(missing(force=force))
    for step in steps:
        _patiently(step)
    cast("DatabaseWrapper", connection).look_for_role()
    return len(steps)


def missing(*, force: bool) -> Iterator[list[str]]:
    """SQL in steps, each a transaction. The last one says that all is there, and connections begin to use it."""
    here, tables = session(), _tables()
    found = states(tables, here.role)
    users = sorted({user for state in found.values() for user in state.users})
    joining = strangers(users, here.role)
    ungranted = [table for table in tables if not found[table].is_granted]
    protection = [step for table in owned() if (step := _protection(table, found[table.table], here.role, force=force))]
    entry = [] if here.has_role else [f"CREATE ROLE {quoted(here.role)} NOLOGIN NOINHERIT"]
    entry += [f"GRANT {quoted(here.role)} TO {quoted(user)}" for user in joining]
    if entry:  # at once: who makes a role belongs to it, from PostgreSQL 16 on, and may still not take it
        yield entry
    if ungranted:
        yield _grants(ungranted, here.role)
    yield from protection
    if not here.is_complete:
        yield [f"COMMENT ON ROLE {quoted(here.role)} IS '{COMPLETE}'"]


def _tables() -> list[str]:
    """Parents only: a partition is reached through its parent, and by its own name not at all."""
    models = apps.get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy})


def _grants(tables: Sequence[str], role: str) -> list[str]:
    names, place = ", ".join(map(quoted, tables)), quoted(schema())
    return [
        f"GRANT USAGE ON SCHEMA {place} TO {quoted(role)}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {names} TO {quoted(role)}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO {quoted(role)}",
    ]


def _protection(table: Owned, state: State, role: str, *, force: bool) -> list[str]:
    name, condition, users = quoted(table.table), condition_of(table), ", ".join(map(quoted, state.users))
    own = f"CREATE POLICY {POLICY} ON {name} TO {quoted(role)} USING ({condition}) WITH CHECK ({condition})"
    wanted = {
        own: state.has_policy,
        f"DROP POLICY IF EXISTS {FOR_ALL} ON {name}": state.is_open,
        f"CREATE POLICY {FOR_ALL} ON {name} TO {users} USING (true) WITH CHECK (true)": state.is_open,
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY": state.is_enabled,
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY": state.is_forced or not force,
    }
    return [statement for statement, is_there in wanted.items() if not is_there]


def condition_of(table: Owned) -> str:
    """What a row of the current tenant fulfils. Without one, no row does: nothing equals NULL."""
    if table.through is None:
        return f"{table.column} = {CURRENT}"
    whole = table.through.related_model._meta.db_table
    key = f"whole.id = {quoted(table.table)}.{table.through.column}"
    return f"EXISTS (SELECT FROM {quoted(whole)} AS whole WHERE {key} AND whole.{table.column} = {CURRENT})"


def _patiently(statements: Sequence[str]) -> None:
    """In a transaction that gives up soon when the table is busy, again and again."""
    for number in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                for statement in statements:
                    cursor.execute(statement)
                return
        except OperationalError as exc:
            if getattr(exc.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE or number == TRIES - 1:
                raise
            time.sleep(PAUSE_SECONDS)
