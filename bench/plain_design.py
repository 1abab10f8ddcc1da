"""How the plain design (bench/plain) is run, and tuned in the one way that costs nothing to know."""

import secrets

from bench.environment import program
from bench.services import Keys, Place, Recipe

WEB_PROCESSES = 2
WORKER_PROCESSES = 2


def recipe(place: Place, *, is_tuned: bool = False) -> Recipe:
    """`is_tuned`: Celery keeps its database connection; by default it makes a new one for every task."""
    key = secrets.token_urlsafe(32)
    django = [program("python"), "-m", "django"]
    return Recipe(
        environment={
            "DJANGO_SETTINGS_MODULE": "bench.plain.settings",
            "DATABASE_URL": place.database_url,
            "REDIS_URL": place.redis_url,
            "EMAIL_PORT": str(place.smtp_port),
        }
        | ({"CELERY_DB_REUSE_MAX": "1000000"} if is_tuned else {}),
        prepare=[[*django, "migrate", "-v0"], [*django, "seed", "--key", key, "--hook", place.hook]],
        web=[
            *(program("gunicorn"), "bench.plain.wsgi", "-b", f"127.0.0.1:{place.web_port}"),
            *("-w", str(WEB_PROCESSES), "-k", "gthread", "--threads", "4"),
        ],
        workers={
            "worker": [
                program("celery"),
                "-A",
                "bench.plain.celery_app",
                "worker",
                "-l",
                "WARNING",
                "-c",
                str(WORKER_PROCESSES),
            ]
        },
        seed=lambda: Keys(single=key, broadcast=key),
    )
