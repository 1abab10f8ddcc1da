"""The Celery application. Tasks are wake-ups: the work itself lies in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")

app = Celery("traffic_control")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
