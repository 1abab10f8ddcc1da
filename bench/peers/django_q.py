"""django-q2 with its Redis broker. It signs and pickles each task, and keeps the results of the last 250."""

import os

from bench.plain.settings import *  # noqa: F403
from bench.plain.settings import INSTALLED_APPS as PLAIN_APPS
from bench.plain.settings import REDIS_URL

ROOT_URLCONF = "bench.peers.django_q_urls"
INSTALLED_APPS = [*PLAIN_APPS, "django_q"]
Q_CLUSTER = {
    "name": "bench",
    "redis": REDIS_URL,
    "workers": int(os.environ.get("WORKERS", "2")),
    "timeout": 60,
    "retry": 120,
    "log_level": "WARNING",
}
