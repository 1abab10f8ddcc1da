"""How the plain design (bench/plain) is run, tuned in the one way that costs nothing to know, and with other queues."""

import secrets
from collections.abc import Mapping, Sequence

from bench.environment import program
from bench.services import Keys, Place, Recipe

WEB_PROCESSES = 2
WORKER_PROCESSES = 2


PEERS = "bench.peers"


def recipe(place: Place, *, is_tuned: bool = False) -> Recipe:
    """`is_tuned`: Celery keeps its database connection; by default it makes a new one for every task."""
    return served(
        place,
        settings="bench.plain.settings",
        more={"CELERY_DB_REUSE_MAX": "1000000"} if is_tuned else {},
        workers={"worker": celery()},
    )


def synchronous(place: Place) -> Recipe:
    """Nothing is queued: the request sends."""
    return served(place, settings=f"{PEERS}.synchronous")


def post_office(place: Place) -> Recipe:
    """Celery wakes it for every mail, and its beat each second, because a wake-up while it works does nothing."""
    lock, beat = place.logs / "post_office", place.logs / "celerybeat"
    return served(
        place,
        settings=f"{PEERS}.post_office",
        more={"LOCK_FILE": str(lock)},
        seeds=["seed_post_office"],
        workers={"worker": [*celery(), "--beat", "--schedule", str(beat)]},
    )


def django_q(place: Place) -> Recipe:
    """The plain design with another queue; its cluster has as many workers."""
    workers = [program("python"), "-W", "ignore", "-m", "django", "qcluster"]
    return served(
        place,
        settings=f"{PEERS}.django_q",
        more={"WORKERS": str(WORKER_PROCESSES)},
        workers={"worker": workers},
    )


def served(
    place: Place,
    *,
    settings: str,
    more: Mapping[str, str] | None = None,
    seeds: Sequence[str] = (),
    workers: Mapping[str, list[str]] | None = None,
) -> Recipe:
    """`more`: environment. `seeds`: management commands that run once, after the plain design's own."""
    key = secrets.token_urlsafe(32)
    django = [program("python"), "-W", "ignore", "-m", "django"]
    return Recipe(
        environment={
            "DJANGO_SETTINGS_MODULE": settings,
            "DATABASE_URL": place.database_url,
            "REDIS_URL": place.redis_url,
            "EMAIL_PORT": str(place.smtp_port),
            **(more or {}),
        },
        prepare=[
            [*django, "migrate", "-v0"],
            [*django, "seed", "--key", key, "--hook", place.hook],
            *([*django, name] for name in seeds),
        ],
        web=[
            *(program("gunicorn"), "bench.plain.wsgi", "-b", f"127.0.0.1:{place.web_port}"),
            *("-w", str(WEB_PROCESSES), "-k", "gthread", "--threads", "4"),
        ],
        workers=workers or {},
        seed=lambda: Keys(single=key),
    )


def celery() -> list[str]:
    start = [program("celery"), "-A", "bench.plain.celery_app", "worker", "-l", "WARNING"]
    return [*start, "-c", str(WORKER_PROCESSES)]
