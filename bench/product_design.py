"""How Traffic Control is run beside the plain design: as many web and worker processes, and its dispatcher."""

import secrets
import sys

from bench.plain_design import WEB_PROCESSES, WORKER_PROCESSES
from bench.product_api import Api, make_audience, make_shop
from bench.services import Keys, Place, Recipe
from dev.server import GUARDED


def recipe(
    place: Place, *, app: str = "traffic_control", wsgi: str = "traffic_control.wsgi", is_isolated: bool = True
) -> Recipe:
    python = sys.executable
    celery = [python, "-m", "celery", "-A", app, "-q", "worker", "-l", "WARNING"]
    return Recipe(
        environment=environment(place) | {"ROW_SECURITY": "on" if is_isolated else "off"},
        prepare=[[python, "manage.py", "migrate", "-v0"]],
        web=web_server(f"{wsgi}:application", place),
        workers={
            "worker": [*celery, "--without-gossip", "--without-mingle", "-c", str(WORKER_PROCESSES)],
            "dispatcher": [python, "manage.py", "dispatcher"],
        },
        seed=lambda: Keys(single=make_shop(Api.at(place.url), place.hook)),
        make_audience=lambda everyone: make_audience(Api.at(place.url), everyone),
    )


def unpoliced(place: Place) -> Recipe:
    """Without row-level security."""
    return recipe(place, is_isolated=False)


def in_process(place: Place) -> Recipe:
    """And without renderer processes."""
    return recipe(place, app="bench.in_process", wsgi="bench.in_process_web", is_isolated=False)


def web_server(application: str, place: Place) -> list[str]:
    """granian as the image's entrypoint starts it."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", application),
        *("--host", "127.0.0.1", "--port", str(place.web_port), "--workers", str(WEB_PROCESSES)),
        *("--blocking-threads", "4", "--no-ws"),
        *GUARDED,
    ]


def environment(place: Place) -> dict[str, str]:
    """A production install, but open for registration and allowed to call the sinks. Limits are on, and far off."""
    return {
        "DATABASE_URL": place.database_url,
        "REDIS_URL": place.redis_url,
        "CELERY_BROKER_URL": place.redis_url,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "off",
        "REGISTRATION": "open",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(place.smtp_port),
        "EGRESS_ALLOW": "127.0.0.0/8",
        "API_RATE_LIMIT": "1000000/m",
        "RECIPIENT_RATE_LIMIT": "1000000/m",
        "LOG_LEVEL": "WARNING",
    }
