"""What `manage.py check --deploy`, the image's entrypoint and the doctor say of the second layer."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection

from tenants import row_security
from tenants.ownership import owned
from tenants.row_security_state import session

WORDS = ("on", "off", "auto")
ISOLATE = "Run manage.py isolate; if it may not, let an administrator run what manage.py isolate --sql prints."
OWN_LOGIN = "Let DATABASE_URL log in as a role that is no superuser and has no BYPASSRLS: docs/operations.md."
UNGUARDED = "A query of ours that forgets its tenant is stopped by code alone, and raw SQL by nothing."
LEAVES = "Whoever gets a statement of their own into a request can leave the tenant's role, and is above all policies."


@dataclass(frozen=True, slots=True)
class Gap:
    """Why the database does not keep tenants apart as it could, what may come of that, and what to do about it."""

    id: str
    found: str
    do: str
    why: str = UNGUARDED


def gap() -> Gap | None:
    """None on SQLite, which has no second layer. Raises DatabaseError."""
    if connection.vendor != "postgresql":
        return None
    if settings.ROW_SECURITY == "off":
        return Gap("tenants.W001", "row-level security is off: ROW_SECURITY=off", "Unset ROW_SECURITY.")
    here = session()
    missing = list(row_security.missing(force=True))
    if not here.is_complete or not here.may_take_role:
        return Gap("tenants.W001", f"row-level security is off: {here.user} has no role {here.role} to take", ISOLATE)
    if missing:
        return Gap("tenants.W002", f"row-level security is incomplete; steps to take: {len(missing)}", ISOLATE)
    if here.bypasses:
        found = f"row-level security holds for requests, but {here.user} itself bypasses it"
        return Gap("tenants.W003", found, OWN_LOGIN, LEAVES)
    return None


def summary() -> str:
    return (
        f"row-level security on {len(owned())} tables" if connection.vendor == "postgresql" else "in code only: SQLite"
    )


@register("settings")
def row_security_is_known(**kwargs: Any) -> list[CheckMessage]:
    if settings.ROW_SECURITY in WORDS:
        return []
    return [Error(f'ROW_SECURITY is "{settings.ROW_SECURITY}"; it can be {", ".join(WORDS)}.', id="tenants.E005")]


@register(Tags.database, deploy=True)
def database_keeps_tenants_apart(databases: Collection[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    try:
        found = gap() if databases else None
    except DatabaseError:
        return []  # whether it answers is another check's question
    return [Warning(f"{found.found[0].upper()}{found.found[1:]}.", hint=found.do, id=found.id)] if found else []
