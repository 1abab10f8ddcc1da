"""The project: wiring and the words every app shares. Imports no app."""

from traffic_control.celery import app as celery_app

__version__ = "0.1.0"
__all__ = ("celery_app",)
