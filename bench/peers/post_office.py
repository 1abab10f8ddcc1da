"""django-post-office: its own table of mails, rendered when they are sent, in batches of 100 over kept connections."""

import os

from bench.plain.settings import *  # noqa: F403
from bench.plain.settings import INSTALLED_APPS as PLAIN_APPS

ROOT_URLCONF = "bench.peers.post_office_urls"
INSTALLED_APPS = [*PLAIN_APPS, "post_office", "bench.peers"]
EMAIL_BACKEND = "post_office.EmailBackend"
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates"},
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "OPTIONS": {"environment": "jinja2.sandbox.SandboxedEnvironment", "autoescape": True},
    },
]
POST_OFFICE = {
    "CELERY_ENABLED": True,
    "TEMPLATE_ENGINE": "jinja2",
    "LOCK_FILE_NAME": os.environ.get("LOCK_FILE", "post_office"),
}
CELERY_BEAT_SCHEDULE = {"send": {"task": "post_office.tasks.send_queued_mail", "schedule": 1.0}}
