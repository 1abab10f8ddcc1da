"""How the bare view is run: with the product's libraries, on the product's server."""

import sys

from bench.product_design import web_server
from bench.services import Keys, Place, Recipe


def recipe(place: Place) -> Recipe:
    return Recipe(
        environment={
            "DJANGO_SETTINGS_MODULE": "bench.bare.settings",
            "DATABASE_URL": place.database_url,
            "REDIS_URL": place.redis_url,
            "EMAIL_PORT": str(place.smtp_port),
        },
        prepare=[[sys.executable, "-m", "django", "migrate", "--run-syncdb", "-v0"]],
        web=web_server("bench.bare.wsgi:application", place),
        workers={},
        seed=lambda: Keys(single="none"),
    )
