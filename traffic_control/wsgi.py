"""WSGI entry point: `granian --interface wsgi traffic_control.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traffic_control.settings")

application = get_wsgi_application()
