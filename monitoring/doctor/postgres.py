"""The database: does it answer, does it keep what it confirms, has it room, and does it have our tables."""

import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from delivery_gateway.partitions import is_partitioned, strays
from monitoring.doctor.verdict import Check, Level, Verdict, fail, good, warn
from tenants import isolation_checks
from traffic_control import heartbeat
from traffic_control.redis_client import Away
from traffic_control.settings_checks import DURABILITY

OLDEST = 150000  # as PostgreSQL numbers its versions
FULL = 0.9  # of the connections
SERVERS = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"


def answers() -> Iterator[Verdict]:
    if connection.vendor != "postgresql":
        _rows("SELECT 1")
        yield good("database", "SQLite, for one machine and one process")
        return
    [(version, number)] = _rows("SELECT current_setting('server_version'), current_setting('server_version_num')::int")
    if number < OLDEST:
        yield fail("database", f"PostgreSQL {version}", "Only 15 and later are tested.", "Upgrade PostgreSQL.")
    else:
        yield good("database", f"PostgreSQL {version}")


def keeps() -> Iterator[Verdict]:
    """`synchronous_commit` may be set for a role or a database alone, so it is asked for as our own session has it."""
    if connection.vendor != "postgresql":
        return
    off = sorted(name for name, value in _rows(SERVERS, [list(DURABILITY)]) if value == "off")
    if not off:
        yield good("durability", ", ".join(f"{name} on" for name in DURABILITY))
        return
    level = Level.WARN if settings.ALLOW_UNSAFE_POSTGRES else Level.FAIL
    why = "A 202 means stored; after a power cut, messages that were answered so may be gone."
    yield Verdict("durability", level, f"off: {', '.join(off)}", why, "Set them on in postgresql.conf and reload.")


def has_room() -> Iterator[Verdict]:
    if connection.vendor != "postgresql":
        return
    server = {
        name: int(value) for name, value in _rows(SERVERS, [["max_connections", "superuser_reserved_connections"]])
    }
    room = server["max_connections"] - server["superuser_reserved_connections"]
    [(used,)] = _rows("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    wanted = _wanted()
    found = f"{used} of {room} connections in use; processes as configured here, and the workers alive, want {wanted}"
    why = "Web threads and workers that get no connection answer 503, or do nothing."
    do = "Raise max_connections, or lower WEB_CONCURRENCY, WEB_THREADS or WORKER_CONCURRENCY."
    if used > room * FULL:
        yield fail("connections", found, why, do)
    elif wanted > room:
        yield warn("connections", found, why, do)
    else:
        yield good("connections", found)


def _wanted() -> int:
    """Of one web container, and of every worker and dispatcher alive. A worker's process may hold two."""
    web = _number("WEB_CONCURRENCY", 2) * _number("WEB_THREADS", 8)
    try:
        alive = {(beat.role == heartbeat.DISPATCHER, beat.who) for beat in heartbeat.beats() if beat.is_alive}
    except Away:
        alive = set()
    dispatchers = sum(is_dispatcher for is_dispatcher, _ in alive)
    return web + dispatchers + 2 * _number("WORKER_CONCURRENCY", 4) * (len(alive) - dispatchers)


def _number(variable: str, default: int) -> int:
    given = os.environ.get(variable, "")
    return int(given) if given.isdecimal() else default


def has_our_tables() -> Iterator[Verdict]:
    loader = MigrationLoader(connection)
    missing = sorted(f"{app}.{name}" for app, name in loader.disk_migrations.keys() - loader.applied_migrations.keys())
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        why = "This code asks for tables and columns that are not there."
        yield fail("migrations", f"not applied: {shown}", why, "Run manage.py migrate, before new code starts.")
    else:
        yield good("migrations", f"all {len(loader.disk_migrations)} applied")


def has_months() -> Iterator[Verdict]:
    if not is_partitioned():
        return
    if found := strays():
        told = ", ".join(f"{rows} in {table}" for table, rows in found.items())
        why = "They work like all others, but retention does not drop them with their month."
        yield warn(
            "partitions",
            f"rows that fit no month: {told}",
            why,
            "Run manage.py partitions create --since the month they are of.",
        )
    else:
        yield good("partitions", "every row is in its month")


def keeps_apart() -> Iterator[Verdict]:
    if found := isolation_checks.gap():
        yield warn("isolation", found.found, found.why, found.do)
    else:
        yield good("isolation", isolation_checks.summary())


def _rows(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


_UNASKED = "It needs the database's answer."
_ASK_AGAIN = "Mend the check “database” first."
CHECKS = (
    Check(
        "database",
        answers,
        "Nothing is accepted and nothing delivered without it.",
        "Look at DATABASE_URL, the server and the network between.",
        silent=Level.FAIL,
    ),
    Check("durability", keeps, _UNASKED, _ASK_AGAIN),
    Check("connections", has_room, _UNASKED, _ASK_AGAIN),
    Check("migrations", has_our_tables, _UNASKED, _ASK_AGAIN),
    Check("partitions", has_months, _UNASKED, _ASK_AGAIN),
    Check("isolation", keeps_apart, _UNASKED, _ASK_AGAIN),
)
