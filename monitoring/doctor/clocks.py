"""Whether this machine, PostgreSQL and Redis agree on the time."""

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection

from monitoring.doctor.brokers import client
from monitoring.doctor.verdict import Check, Verdict, fail, good, warn

NOTICED, TOO_MUCH = 1.0, 5.0  # seconds; receivers of signed webhooks refuse what is minutes off


def clocks_agree(host: Callable[[], float] = time.time) -> Iterator[Verdict]:
    others = {"PostgreSQL": _of_postgres} if connection.vendor == "postgresql" else {}
    if settings.REDIS_URL:
        others["Redis"] = _of_redis
    skews = {name: skew(other, host) for name, other in others.items()}
    if not skews:
        return
    worst = max(map(abs, skews.values()))
    found = ", ".join(f"{name} is {seconds:+.2f} s from here" for name, seconds in skews.items())
    why = "Webhook signatures, leases and schedules carry the time of whoever makes them."
    do = "Let every machine follow a time server (chrony, systemd-timesyncd)."
    judge = fail if worst > TOO_MUCH else warn if worst > NOTICED else None
    yield judge("clock", found, why, do) if judge else good("clock", found)


def skew(other: Callable[[], float], host: Callable[[], float]) -> float:
    """Seconds that the other clock is ahead; as far as half the way there and back can tell, never more."""
    before = host()
    there = other()
    after = host()
    off = there - (before + after) / 2
    doubt = (after - before) / 2
    return max(0.0, abs(off) - doubt) * (1 if off > 0 else -1)


def _of_postgres() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(cursor.fetchone()[0])


def _of_redis() -> float:
    with client(settings.REDIS_URL) as asked:
        seconds, micros = asked.time()
    return float(seconds + micros / 1_000_000)


CHECKS = (
    Check(
        "clock",
        clocks_agree,
        "It needs answers of the database and of Redis.",
        "Mend the checks “database” and “redis” first.",
    ),
)
